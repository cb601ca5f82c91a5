// SPDX-License-Identifier: Apache-2.0
#include "collector/web/passwords.h"

#include <crypt.h>
#include <gnutls/crypto.h>

#include <memory>
#include <optional>
#include <utility>

namespace lunscope {
namespace {

// bcrypt reads no more; two passwords that differ behind it would be the same.
constexpr size_t kMaxPasswordBytes = 72;
// Users change their passwords; what is not used any more goes.
constexpr size_t kMaxKnown = 1000;

bool Fits(const std::string& password, const std::string& hash) {
  if (password.size() > kMaxPasswordBytes) return false;
  const auto scratch = std::make_unique<crypt_data>();
  const char* made = crypt_r(password.c_str(), hash.c_str(), scratch.get());
  if (made == nullptr) return false;
  const std::string text = made;
  return text.size() == hash.size() && gnutls_memcmp(text.data(), hash.data(), text.size()) == 0;
}

}  // namespace

Passwords::Passwords() : thread_([this] { Run(); }) {
  gnutls_rnd(GNUTLS_RND_RANDOM, salt_.data(), salt_.size());
}

Passwords::~Passwords() {
  Stop();
  thread_.join();
}

void Passwords::Stop() {
  const std::lock_guard lock(mutex_);
  is_stopped_ = true;
  asked_.notify_one();
}

Passwords::Digest Passwords::DigestOf(const std::string& user, const std::string& password,
                                      const std::string& hash) const {
  // A name has no NUL, and neither has a hash.
  std::string text = user + '\0' + hash + '\0' + password;
  Digest digest{};
  gnutls_hmac_fast(GNUTLS_MAC_SHA256, salt_.data(), salt_.size(), text.data(), text.size(),
                   digest.data());
  gnutls_memset(text.data(), 0, text.size());
  return digest;
}

bool Passwords::AreKnown(const Users& users, const std::string& user, const std::string& password) {
  const auto found = users.find(user);
  if (found == users.end()) return false;
  const Digest digest = DigestOf(user, password, found->second);
  const std::lock_guard lock(mutex_);
  return known_.contains(digest);
}

void Passwords::Check(const Users& users, const std::string& user, const std::string& password,
                      Done done) {
  const auto found = users.find(user);
  const bool is_user = found != users.end();
  const std::string& hash = is_user ? found->second : users.begin()->second;
  {
    const std::lock_guard lock(mutex_);
    if (!is_stopped_ && requests_.size() < kMaxWaiting) {
      requests_.push_back(
          {hash, password, is_user, DigestOf(user, password, hash), std::move(done)});
      asked_.notify_one();
      return;
    }
  }
  done(Answer::kBusy);
}

void Passwords::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    asked_.wait(lock, [this] { return is_stopped_ || !requests_.empty(); });
    if (is_stopped_) break;
    Request request = std::move(requests_.front());
    requests_.pop_front();
    lock.unlock();
    const bool is_right = Fits(request.password, request.hash) && request.is_user;
    gnutls_memset(request.password.data(), 0, request.password.size());
    lock.lock();
    if (is_right) {
      if (known_.size() >= kMaxKnown) known_.clear();
      known_.insert(request.digest);
    }
    lock.unlock();
    request.done(is_right ? Answer::kRight : Answer::kWrong);
    lock.lock();
  }
  const std::deque<Request> left = std::exchange(requests_, {});
  lock.unlock();
  for (const Request& request : left) request.done(Answer::kBusy);
}

}  // namespace lunscope
