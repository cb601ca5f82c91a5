// SPDX-License-Identifier: Apache-2.0
//
// The name of a QEMU guest, from command lines.
#include "collector/host/qemu_guest.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lunscope {
namespace {

struct GuestCase {
  std::vector<std::string> arguments;
  const char* guest;
};

// The forms of -name in qemu(1), and command lines as libvirt and Proxmox write them.
const GuestCase kGuests[] = {
    {{"qemu-system-x86_64", "-name", "mail"}, "mail"},
    {{"/usr/bin/qemu-system-x86_64", "-name", "guest=mail,debug-threads=on", "-S"}, "mail"},
    {{"/usr/bin/kvm", "-id", "100", "-name", "mail,debug-threads=on"}, "mail"},
    {{"/usr/libexec/qemu-kvm", "-name", "debug-threads=on,guest=mail"}, "mail"},
    {{"qemu-system-aarch64", "--name", "mail"}, "mail"},
    {{"qemu-system-x86_64", "-name", "process=one"}, ""},
    {{"qemu-system-x86_64", "-name", "guest=a,,b,process=one"}, "a,b"},
    {{"qemu-system-x86_64", "-name", "one", "-name", "two"}, "two"},
    {{"qemu-system-x86_64", "-name", ""}, ""},
    {{"qemu-system-x86_64", "-name"}, ""},
    {{"qemu-system-x86_64", "-nameless", "mail"}, ""},
    {{"qemu-system-x86_64"}, ""},
    {{"qemu-system-x86_64", "-name", "a\x1b[2J\\"}, "a\\x1b[2J\\x5c"},
    {{"qemu-img", "-name", "mail"}, ""},
    {{"/usr/bin/vi", "-name", "mail"}, ""},
    {{""}, ""},
    {{}, ""},
};

TEST(QemuGuest, HasTheNameOnItsCommandLine) {
  for (const GuestCase& row : kGuests) {
    std::string line;
    for (const std::string& argument : row.arguments) line += argument + '\0';
    EXPECT_EQ(QemuGuestName(line), row.guest) << line;
  }
}

// A command line is cut off at kMaxFileBytes.
TEST(QemuGuest, MayHaveACutCommandLine) {
  const std::string line = std::string("qemu-kvm\0-name\0mail", 19);
  EXPECT_EQ(QemuGuestName(line), "mail");
  EXPECT_EQ(QemuGuestName(line.substr(0, 13)), "");
  EXPECT_EQ(QemuGuestName(line.substr(0, 4)), "");
}

}  // namespace
}  // namespace lunscope
