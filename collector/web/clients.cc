// SPDX-License-Identifier: Apache-2.0
#include "collector/web/clients.h"

#include <sys/socket.h>

#include <unordered_set>
#include <utility>

namespace lunscope {

void Clients::Began(Key key, int socket, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (open_ >= limits_.connections) MakeRoom();
  clients_[key] = {socket, now, limits_.first_request, nullptr};
  open_++;
}

void Clients::Ended(Key key) {
  const std::lock_guard lock(mutex_);
  const auto client = clients_.find(key);
  if (client == clients_.end()) return;
  if (!client->second.is_cut) open_--;
  clients_.erase(client);
}

void Clients::Asked(Key key, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  Enter(key, now, std::chrono::milliseconds(0), nullptr);
}

void Clients::Sending(Key key, const SharedRendering& page, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  Enter(key, now, limits_.answer, page);
  KeepWithinPageBytes(page);
}

void Clients::Answered(Key key, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  Enter(key, now, limits_.next_request, nullptr);
}

void Clients::Enter(Key key, Clock::time_point now, std::chrono::milliseconds limit,
                    SharedRendering page) {
  const auto client = clients_.find(key);
  if (client == clients_.end()) return;
  client->second.since = now;
  client->second.limit = limit;
  client->second.page = std::move(page);
}

// The connection's owner sees the end of it, and closes the socket.
void Clients::Cut(Client* client) {
  if (client->is_cut) return;
  client->is_cut = true;
  open_--;
  if (cut_ != nullptr) cut_->fetch_add(1);
  shutdown(client->socket, SHUT_RDWR);
}

void Clients::MakeRoom() {
  Client* oldest = nullptr;
  for (auto& [key, client] : clients_) {
    const bool may_go = !client.is_cut && client.limit.count() != 0;
    if (may_go && (oldest == nullptr || client.since < oldest->since)) oldest = &client;
  }
  if (oldest != nullptr) Cut(oldest);
}

void Clients::CutLate(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  for (auto& [key, client] : clients_) {
    if (client.limit.count() != 0 && now - client.since > client.limit) Cut(&client);
  }
}

void Clients::KeepWithinPageBytes(const SharedRendering& newest) {
  for (;;) {
    std::unordered_set<const Rendering*> pages;
    size_t bytes = 0;
    Client* oldest = nullptr;
    for (auto& [key, client] : clients_) {
      if (!client.page || client.page == newest || client.is_cut) continue;
      if (pages.insert(client.page.get()).second) bytes += client.page->bytes();
      if (oldest == nullptr || client.since < oldest->since) oldest = &client;
    }
    if (bytes <= limits_.page_bytes || oldest == nullptr) return;
    Cut(oldest);
  }
}

}  // namespace lunscope
