// SPDX-License-Identifier: Apache-2.0
#include "collector/web/access.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace lunscope {

Result<std::shared_ptr<const AccessRules>> Access::Read(const std::string& file) {
  auto rules = std::make_shared<AccessRules>();
  if (!file.empty()) {
    Result<WebConfig> config = ReadWebConfig(file);
    if (!config.ok()) return config.error();
    rules->config = std::move(config.value());
  }
  if (rules->config.tls) {
    Result<std::shared_ptr<const TlsServer>> tls = TlsServer::Load(rules->config);
    if (!tls.ok()) return tls.error();
    rules->tls = std::move(tls.value());
  }
  return std::shared_ptr<const AccessRules>(std::move(rules));
}

Result<std::shared_ptr<Access>> Access::Load(const std::string& file) {
  Result<std::shared_ptr<const AccessRules>> rules = Read(file);
  if (!rules.ok()) return rules.error();
  return std::shared_ptr<Access>(new Access(file, std::move(rules.value())));
}

Status Access::Reload() {
  Result<std::shared_ptr<const AccessRules>> read = Read(file_);
  if (!read.ok()) return read.error();
  const std::lock_guard lock(mutex_);
  if ((read.value()->tls == nullptr) != (rules_->tls == nullptr))
    return Error{ExitCode::kUsage,
                 fmt::format("{}: TLS begins or ends with a restart only", file_)};
  std::erase_if(retired_, [](const auto& rules) { return rules.use_count() == 1; });
  retired_.push_back(std::exchange(rules_, std::move(read.value())));
  return Nothing{};
}

std::shared_ptr<const AccessRules> Access::rules() const {
  const std::lock_guard lock(mutex_);
  return rules_;
}

// A request moves the time at which the bucket is full by one interval. It has room as long as that
// time is less than the whole bucket away.
bool Access::HasRoom(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  const std::optional<RateLimit>& limit = rules_->config.rate_limit;
  if (!limit) return true;
  const Clock::time_point full_at = std::max(full_at_, now) + limit->interval;
  if (full_at - now > limit->interval * limit->burst) return false;
  full_at_ = full_at;
  return true;
}

}  // namespace lunscope
