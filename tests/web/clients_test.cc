// SPDX-License-Identifier: Apache-2.0
//
// Clients that are cut off, and others that are not, with real sockets and a clock of the test's
// own.
#include "collector/web/clients.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace lunscope {
namespace {

using std::chrono::milliseconds;

// One end of a connection that stays open until the test ends.
class Socket {
 public:
  Socket() { socketpair(AF_UNIX, SOCK_STREAM, 0, ends_.data()); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    for (const int end : ends_) close(end);
  }
  [[nodiscard]] int fd() const { return ends_[0]; }
  // The peer reads the end of the stream then.
  [[nodiscard]] bool is_cut() const {
    char byte = 0;
    return recv(ends_[1], &byte, 1, MSG_DONTWAIT) == 0;
  }

 private:
  std::array<int, 2> ends_{};
};

class ClientsTest : public testing::Test {
 protected:
  void Connect(size_t count) {
    for (size_t i = 0; i < count; i++) {
      sockets_.push_back(std::make_unique<Socket>());
      clients_.Began(sockets_.back().get(), sockets_.back()->fd(), now_);
      now_ += milliseconds(1);
    }
  }
  const void* Key(size_t number) { return sockets_[number].get(); }
  std::vector<size_t> Cut() {
    std::vector<size_t> cut;
    for (size_t i = 0; i < sockets_.size(); i++) {
      if (sockets_[i]->is_cut()) cut.push_back(i);
    }
    return cut;
  }
  static SharedRendering PageOf(size_t bytes) {
    auto page = std::make_shared<Rendering>();
    page->plain.assign(bytes, 'x');
    return page;
  }

  Clients::Clock::time_point now_{std::chrono::seconds(1000)};
  std::atomic<uint64_t> cut_{0};
  Clients clients_{ClientLimits{.connections = 3,
                                .page_bytes = 1000,
                                .first_request = milliseconds(100),
                                .next_request = milliseconds(1000),
                                .answer = milliseconds(500)},
                   &cut_};
  std::vector<std::unique_ptr<Socket>> sockets_;
};

using Numbers = std::vector<size_t>;

TEST_F(ClientsTest, TheOldestMakesRoom) {
  Connect(3);
  EXPECT_EQ(Cut(), Numbers{});
  Connect(2);
  EXPECT_EQ(Cut(), (Numbers{0, 1}));
  EXPECT_EQ(cut_, 2u);
}

TEST_F(ClientsTest, WhoWaitsForUsDoesNotMakeRoom) {
  Connect(3);
  clients_.Asked(Key(0), now_);
  Connect(1);
  EXPECT_EQ(Cut(), Numbers{1});
}

TEST_F(ClientsTest, EachStateHasItsTime) {
  Connect(3);
  clients_.Asked(Key(0), now_);
  clients_.Sending(Key(1), PageOf(10), now_);
  clients_.CutLate(now_ + milliseconds(100));
  EXPECT_EQ(Cut(), Numbers{2});  // it began before
  clients_.CutLate(now_ + milliseconds(501));
  EXPECT_EQ(Cut(), (Numbers{1, 2}));
  clients_.Answered(Key(0), now_);
  clients_.CutLate(now_ + milliseconds(1000));
  EXPECT_EQ(Cut(), (Numbers{1, 2}));
  clients_.CutLate(now_ + milliseconds(1001));
  EXPECT_EQ(Cut(), (Numbers{0, 1, 2}));
}

TEST_F(ClientsTest, OldPagesThatNobodyReadsGo) {
  Connect(3);
  clients_.Sending(Key(0), PageOf(600), now_);
  clients_.Sending(Key(1), PageOf(600), now_ += milliseconds(1));
  EXPECT_EQ(Cut(), Numbers{});  // one of them is the newest
  clients_.Sending(Key(2), PageOf(600), now_ += milliseconds(1));
  EXPECT_EQ(Cut(), Numbers{0});
}

TEST_F(ClientsTest, APageThatIsSharedCountsOnce) {
  Connect(3);
  const SharedRendering page = PageOf(600);
  clients_.Sending(Key(0), page, now_);
  clients_.Sending(Key(1), page, now_);
  clients_.Sending(Key(2), PageOf(600), now_);
  EXPECT_EQ(Cut(), Numbers{});
}

TEST_F(ClientsTest, WhoHasEndedIsForgotten) {
  Connect(3);
  clients_.Ended(Key(0));
  Connect(1);
  EXPECT_EQ(Cut(), Numbers{});
  clients_.CutLate(now_ + milliseconds(5000));
  EXPECT_EQ(Cut(), (Numbers{1, 2, 3}));
}

}  // namespace
}  // namespace lunscope
