// SPDX-License-Identifier: Apache-2.0
//
// One thread that renders pages. All who ask for a page while another one is rendered get the same
// copy, so a crowd of scrapers costs as much as two.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace lunscope {

// A page as it was at one moment. Those who are sent it share it.
struct Rendering {
  std::string plain;  // "" if everybody asked for gzip
  std::string gzip;   // "" if nobody did, or there was no memory for it
  [[nodiscard]] size_t bytes() const { return plain.size() + gzip.size(); }
};
using SharedRendering = std::shared_ptr<const Rendering>;

class Renderer {
 public:
  using Render = std::function<std::string()>;
  // The page; nullptr if there is no memory for it, or if the renderer ends.
  using Done = std::function<void(SharedRendering)>;

  Renderer();
  Renderer(const Renderer&) = delete;
  Renderer& operator=(const Renderer&) = delete;
  // All who still wait get nullptr.
  ~Renderer();

  // Render soon. done is called once, by the thread or, if the renderer ends, by the caller.
  // render: outlives the renderer; asks with the same one may share a page.
  void Ask(const Render* render, bool wants_gzip, Done done);

  // No page is rendered from now on.
  void Stop();

 private:
  struct Request {
    const Render* render;
    bool wants_gzip;
    Done done;
  };

  void Run();
  // All requests for the page that was asked for first; none if the renderer ends.
  std::vector<Request> TakeNext();

  std::mutex mutex_;
  std::condition_variable asked_;
  std::vector<Request> requests_;
  bool is_stopped_ = false;
  std::thread thread_;
};

}  // namespace lunscope
