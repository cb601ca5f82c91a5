// SPDX-License-Identifier: Apache-2.0
//
// Passwords against hashes of bcrypt.
#include "collector/web/passwords.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

namespace lunscope {
namespace {

using Answer = Passwords::Answer;

constexpr const char* kRight =  // of "right"
    "$2y$04$abcdefghijklmnopqrstuuFmEfrkTQnczNzw475xE2VhDrK1uwJiC";
constexpr const char* kOther =  // of "p\xc3\xa4ss:word"
    "$2b$05$ABCDEFGHIJKLMNOPQRSTUuihG6YcJHpoai7pQkucTwsufajn0hOBm";

Answer Check(Passwords& passwords, const Users& users, const std::string& user,
             const std::string& password) {
  std::promise<Answer> answer;
  passwords.Check(users, user, password, [&](Answer said) { answer.set_value(said); });
  return answer.get_future().get();
}

struct Row {
  const char* user;
  std::string password;
  Answer answer;
};

TEST(Passwords, FitTheirHash) {
  const Users users = {{"alice", kRight}, {"bob", kOther}};
  Passwords passwords;
  const Row rows[] = {
      {"alice", "right", Answer::kRight},
      {"bob", "p\xc3\xa4ss:word", Answer::kRight},
      {"alice", "wrong", Answer::kWrong},
      {"alice", "", Answer::kWrong},
      {"alice", "right ", Answer::kWrong},
      {"bob", "right", Answer::kWrong},
      {"carol", "right", Answer::kWrong},
      {"", "", Answer::kWrong},
      {"alice", std::string(100, 'x'), Answer::kWrong},
  };
  for (const Row& row : rows) {
    EXPECT_FALSE(passwords.AreKnown(users, row.user, row.password)) << row.password;
    EXPECT_EQ(Check(passwords, users, row.user, row.password), row.answer) << row.password;
    EXPECT_EQ(passwords.AreKnown(users, row.user, row.password), row.answer == Answer::kRight);
  }
}

// A new configuration has another hash for the name, or none.
TEST(Passwords, AreKnownUnderTheirHashOnly) {
  Passwords passwords;
  ASSERT_EQ(Check(passwords, {{"alice", kRight}}, "alice", "right"), Answer::kRight);
  EXPECT_TRUE(passwords.AreKnown({{"alice", kRight}}, "alice", "right"));
  EXPECT_FALSE(passwords.AreKnown({{"alice", kOther}}, "alice", "right"));
  EXPECT_FALSE(passwords.AreKnown({{"bob", kRight}}, "alice", "right"));
  EXPECT_FALSE(passwords.AreKnown({{"bob", kRight}}, "bob", "right"));
}

TEST(Passwords, TooManyAreRefusedAtOnce) {
  const Users users = {{"alice", kRight}};
  std::vector<std::future<Answer>> answers;
  {
    Passwords passwords;
    for (size_t i = 0; i < Passwords::kMaxWaiting + 10; i++) {
      auto answer = std::make_shared<std::promise<Answer>>();
      answers.push_back(answer->get_future());
      passwords.Check(users, "alice", "wrong", [answer](Answer said) { answer->set_value(said); });
    }
    EXPECT_EQ(answers.back().get(), Answer::kBusy);
    answers.pop_back();
  }
  // The end answers those that wait.
  for (auto& answer : answers) {
    const Answer said = answer.get();
    EXPECT_TRUE(said == Answer::kWrong || said == Answer::kBusy);
  }
}

TEST(Passwords, AreRefusedAfterTheEnd) {
  Passwords passwords;
  passwords.Stop();
  EXPECT_EQ(Check(passwords, {{"alice", kRight}}, "alice", "right"), Answer::kBusy);
}

}  // namespace
}  // namespace lunscope
