// SPDX-License-Identifier: Apache-2.0
//
// The clients of the endpoint: since when they are connected, and which page they are sent. No
// client may hold up another one. So a client that is too slow is cut off, and if there are too
// many, the one that was idle for the longest time makes room.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "collector/web/renderer.h"

namespace lunscope {

struct ClientLimits {
  size_t connections = 512;
  // The most that pages may take which are being sent, beside the newest one.
  size_t page_bytes = size_t{16} << 20;
  std::chrono::milliseconds first_request{10'000};  // from the connection to the end of the header
  std::chrono::milliseconds next_request{120'000};  // from an answer to the end of the next header
  std::chrono::milliseconds answer{30'000};         // to be read
};

// Safe to call from several threads.
class Clients {
 public:
  using Clock = std::chrono::steady_clock;
  // Stands for a connection in these calls.
  using Key = const void*;

  // cut: counts the connections that were cut off, for whatever reason. May be nullptr.
  Clients(const ClientLimits& limits, std::atomic<uint64_t>* cut) : limits_(limits), cut_(cut) {}

  // A connection begins or ends. socket: open until Ended() has returned.
  void Began(Key key, int socket, Clock::time_point now);
  void Ended(Key key);
  // The client has asked, is sent this page, has got it whole.
  void Asked(Key key, Clock::time_point now);
  void Sending(Key key, const SharedRendering& page, Clock::time_point now);
  void Answered(Key key, Clock::time_point now);

  // Cut off those whose time is over.
  void CutLate(Clock::time_point now);

 private:
  struct Client {
    int socket;
    Clock::time_point since;            // when its state began
    std::chrono::milliseconds limit{};  // how long the state may last; 0: it waits for us
    SharedRendering page;               // that it is sent; nullptr: none
    bool is_cut = false;
  };

  // REQUIRES, as all below: the mutex is held.
  void Enter(Key key, Clock::time_point now, std::chrono::milliseconds limit, SharedRendering page);
  void Cut(Client* client);
  void MakeRoom();
  void KeepWithinPageBytes(const SharedRendering& newest);

  const ClientLimits limits_;
  std::atomic<uint64_t>* const cut_;
  std::mutex mutex_;
  std::unordered_map<Key, Client> clients_;
  size_t open_ = 0;  // that were not cut
};

}  // namespace lunscope
