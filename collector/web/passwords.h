// SPDX-License-Identifier: Apache-2.0
//
// Names and passwords of scrapers, against the bcrypt hashes of the web configuration. A check is
// meant to take long, some 50 ms, so one thread makes it while the endpoint serves others. It
// remembers what was right once, so a scraper that is known never waits behind those who guess.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace lunscope {

// The bcrypt hash of each user.
using Users = std::map<std::string, std::string>;

class Passwords {
 public:
  enum class Answer { kRight, kWrong, kBusy };
  using Done = std::function<void(Answer)>;

  static constexpr size_t kMaxWaiting = 64;

  Passwords();
  Passwords(const Passwords&) = delete;
  Passwords& operator=(const Passwords&) = delete;
  // All who still wait get kBusy.
  ~Passwords();

  // Whether these were right before, under the same hash.
  [[nodiscard]] bool AreKnown(const Users& users, const std::string& user,
                              const std::string& password);
  // Check soon. done is called once: by the thread, or by the caller if too many wait or the end
  // has come.
  void Check(const Users& users, const std::string& user, const std::string& password, Done done);
  // Nothing is checked from now on.
  void Stop();

 private:
  static constexpr size_t kDigestBytes = 32;  // SHA-256
  using Digest = std::array<uint8_t, kDigestBytes>;
  struct Request {
    std::string hash;
    std::string password;
    bool is_user;  // false: the hash is another one's, so that the answer takes as long
    Digest digest;
    Done done;
  };

  // Stands for a name, a password and a hash that fit.
  [[nodiscard]] Digest DigestOf(const std::string& user, const std::string& password,
                                const std::string& hash) const;
  void Run();

  Digest salt_{};  // of this process: what is remembered is of no use to others
  std::mutex mutex_;
  std::condition_variable asked_;
  std::deque<Request> requests_;
  std::set<Digest> known_;
  bool is_stopped_ = false;
  std::thread thread_;
};

}  // namespace lunscope
