// SPDX-License-Identifier: Apache-2.0
#include "collector/web/renderer.h"

#include <malloc.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "collector/web/gzip.h"

namespace lunscope {
namespace {

constexpr int kLargePageBytes = 1 << 20;

SharedRendering RenderOnce(const Renderer::Render& render, bool wants_gzip, bool wants_plain) {
  try {
    auto rendering = std::make_shared<Rendering>();
    rendering->plain = render();
    if (wants_gzip) rendering->gzip = Gzip(rendering->plain);
    if (!wants_plain && !rendering->gzip.empty()) rendering->plain = std::string();
    return rendering;
  } catch (const std::exception&) {  // no memory: the scrape fails, and the program goes on
    return nullptr;
  }
}

}  // namespace

Renderer::Renderer() : thread_([this] { Run(); }) {
  // Large pages go back to the system when they are freed. glibc would learn to keep them.
  mallopt(M_MMAP_THRESHOLD, kLargePageBytes);
}

Renderer::~Renderer() {
  Stop();
  thread_.join();
}

void Renderer::Stop() {
  const std::lock_guard lock(mutex_);
  is_stopped_ = true;
  asked_.notify_one();
}

void Renderer::Ask(const Render* render, bool wants_gzip, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (!is_stopped_) {
      requests_.push_back({render, wants_gzip, std::move(done)});
      asked_.notify_one();
      return;
    }
  }
  done(nullptr);
}

std::vector<Renderer::Request> Renderer::TakeNext() {
  std::unique_lock lock(mutex_);
  asked_.wait(lock, [this] { return is_stopped_ || !requests_.empty(); });
  std::vector<Request> taken;
  if (is_stopped_) return taken;
  const Render* next = requests_.front().render;
  std::vector<Request> others;
  for (Request& request : requests_)
    (request.render == next ? taken : others).push_back(std::move(request));
  requests_ = std::move(others);
  return taken;
}

void Renderer::Run() {
  for (std::vector<Request> taken = TakeNext(); !taken.empty(); taken = TakeNext()) {
    const auto wants_gzip = [](const Request& request) { return request.wants_gzip; };
    const SharedRendering rendering =
        RenderOnce(*taken.front().render, std::ranges::any_of(taken, wants_gzip),
                   !std::ranges::all_of(taken, wants_gzip));
    for (const Request& request : taken) request.done(rendering);
  }
  std::vector<Request> left;
  {
    const std::lock_guard lock(mutex_);
    left.swap(requests_);
  }
  for (const Request& request : left) request.done(nullptr);
}

}  // namespace lunscope
