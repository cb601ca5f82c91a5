// SPDX-License-Identifier: Apache-2.0
// Names and addresses have stand-ins, also within sentences, and the same one each time.
#include "collector/report/stand_ins.h"

#include <gtest/gtest.h>

#include <string>

namespace lunscope {
namespace {

TEST(StandIns, AreTheNamesThemselvesIfTheyAreOff) {
  StandIns names;
  EXPECT_EQ(names.Of(NameKind::kTarget, "iqn.disk"), "iqn.disk");
  EXPECT_EQ(names.OfAddress("192.0.2.1:3260"), "192.0.2.1:3260");
  EXPECT_EQ(names.In("iqn.disk at 192.0.2.1"), "iqn.disk at 192.0.2.1");
}

TEST(StandIns, AreTheSameForTheSameName) {
  StandIns names(true);
  EXPECT_EQ(names.Of(NameKind::kTarget, "iqn.disk"), "target-1");
  EXPECT_EQ(names.Of(NameKind::kTarget, "iqn.other"), "target-2");
  EXPECT_EQ(names.Of(NameKind::kInitiator, "iqn.host"), "initiator-1");
  EXPECT_EQ(names.Of(NameKind::kTarget, "iqn.disk"), "target-1");
  EXPECT_EQ(names.Of(NameKind::kInitiator, "iqn.disk"), "target-1");
}

TEST(StandIns, LeaveWhatIsNoName) {
  StandIns names(true);
  for (const char* name : {"", "-", "unknown", "discovery", "overflow", "several"})
    EXPECT_EQ(names.Of(NameKind::kTarget, name), name);
}

struct AddressRow {
  const char* address;
  const char* covered;
};

const AddressRow kAddresses[] = {
    {"192.0.2.1:3260", "host-1:3260"},
    {"192.0.2.1", "host-1"},
    {"192.0.2.10:40000", "host-2:40000"},
    {"[2001:db8::1]:3260", "host-3:3260"},
    {"[2001:db8::1]", "host-3"},
    {"fe80::1%eth0", "host-4"},
    {"storage.example.com:3260,1", "host-5:3260,1"},
    {"storage.example.com", "host-5"},
    {"unknown", "unknown"},
};

TEST(StandIns, KeepThePortsOfAddresses) {
  StandIns names(true);
  for (const AddressRow& row : kAddresses) EXPECT_EQ(names.OfAddress(row.address), row.covered);
}

struct SentenceRow {
  const char* sentence;
  const char* covered;
};

const SentenceRow kSentences[] = {
    {"iqn.host at 192.0.2.1 cannot log in to iqn.disk: twice.",
     "initiator-1 at host-1 cannot log in to target-1: twice."},
    {"The holder is iqn.disk.", "The holder is target-1."},
    // A longer name is another one, whether it is known or not.
    {"iqn.disk2 and iqn.disk:2 are not iqn.disk", "target-2 and name-1 are not target-1"},
    {"192.0.2.1:40000 - 192.0.2.2:3260", "host-1:40000 - host-2:3260"},
    {"[2001:db8::1]:3260 and 2001:db8::2.", "host-3:3260 and host-4."},
    {"eui.02004567a425678d and naa.52004567ba64678d", "name-2 and name-3"},
    {"it redirects to store.example.com:3260,1", "it redirects to host-5:3260,1"},
    // A name that holds what ends a word.
    {"the disk (a b) is full", "the disk target-3 is full"},
    // No names: times, figures, versions of the standard.
    {"READ(10) takes 0.31 ms at 14:02:11, 71 % of 5.3 s",
     "READ(10) takes 0.31 ms at 14:02:11, "
     "71 % of 5.3 s"},
    {"", ""},
};

TEST(StandIns, ReplaceNamesWithinSentences) {
  StandIns names(true);
  names.Of(NameKind::kInitiator, "iqn.host");
  names.OfAddress("192.0.2.1:5");
  names.OfAddress("192.0.2.2:5");
  names.OfAddress("[2001:db8::1]:5");
  names.OfAddress("2001:db8::2");
  names.OfAddress("store.example.com:1");
  for (const char* target : {"iqn.disk", "iqn.disk2", "(a b)"}) names.Of(NameKind::kTarget, target);
  for (const SentenceRow& row : kSentences) EXPECT_EQ(names.In(row.sentence), row.covered);
  // A name that got its stand-in in a sentence keeps it.
  EXPECT_EQ(names.Of(NameKind::kTarget, "iqn.disk:2"), "name-1");
}

// A hostile name is a word of sentences: it goes wherever it stands as a word.
TEST(StandIns, OfAWordTakeItsPlaceEverywhere) {
  StandIns names(true);
  names.Of(NameKind::kTarget, "in");
  EXPECT_EQ(names.In("cannot log in to in, since morning"),
            "cannot log target-1 to target-1, since morning");
}

// A serial number is mostly a number, and sentences have figures.
TEST(StandIns, OfWhatIsInNoSentenceStayOutOfThem) {
  StandIns names(true);
  EXPECT_EQ(names.Of(NameKind::kSerial, "12"), "serial-1");
  EXPECT_EQ(names.In("12 commands"), "12 commands");
}

TEST(StandIns, AreBounded) {
  StandIns names(true);
  for (size_t i = 0; i < StandIns::kMaxNames; i++)
    names.Of(NameKind::kInitiator, "iqn.host" + std::to_string(i));
  EXPECT_EQ(names.Of(NameKind::kInitiator, "iqn.one-more"), "initiator-x");
  EXPECT_EQ(names.In("iqn.two-more logs in"), "name-x logs in");
  EXPECT_EQ(names.Of(NameKind::kInitiator, "iqn.host0"), "initiator-1");
}

}  // namespace
}  // namespace lunscope
