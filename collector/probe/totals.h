// SPDX-License-Identifier: Apache-2.0
//
// The kernel's counts. Each CPU, and for iSCSI each program, has a copy of its own. A type Totals
// is 64-bit counts and nothing else.
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <lunscope/totals.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

namespace lunscope {

template <typename Totals>
Totals SumOf(std::span<const Totals> copies) {
  using Words = std::array<uint64_t, sizeof(Totals) / sizeof(uint64_t)>;
  Words sum{};
  for (const Totals& copy : copies) {
    const auto words = std::bit_cast<Words>(copy);
    for (size_t i = 0; i < sum.size(); i++) sum[i] += words[i];
  }
  return std::bit_cast<Totals>(sum);
}

// Read every copy of a per-CPU array. A copy that does not balance was read while its writer was
// updating a command, so it is read again, up to a limit.
template <typename Totals>
std::vector<Totals> ReadCopies(
    const bpf_map* map, bool (*is_balanced)(const Totals&) = [](const Totals&) { return true; }) {
  constexpr int kTries = 1000;
  const auto cpus = static_cast<size_t>(libbpf_num_possible_cpus());
  std::vector<Totals> copies(bpf_map__max_entries(map) * cpus);
  for (uint32_t key = 0; key < bpf_map__max_entries(map); key++) {
    const std::span of_key(copies.begin() + static_cast<ptrdiff_t>(key * cpus), cpus);
    for (int i = 0; i < kTries; i++) {
      if (bpf_map_lookup_elem(bpf_map__fd(map), &key, of_key.data()) != 0) break;
      if (std::ranges::all_of(of_key, is_balanced)) break;
    }
  }
  return copies;
}

// The sum of the copies that read() returns. read() reads one copy after the other while commands
// go on. So it may count the end of a command and miss its beginning. If more commands of a role
// have ended than begun, read() is called again. The copies that count beginnings are then taken
// from the later call.
template <typename Read>
lunscope_totals SumOfReadings(Read read) {
  const auto ends_prevail = [](const lunscope_totals& totals, uint32_t role) {
    return static_cast<int64_t>(totals.commands_in_flight[role]) < 0;
  };
  std::vector<lunscope_totals> copies = read();
  auto sum = SumOf<lunscope_totals>(copies);
  for (uint32_t role = 0; role < LUNSCOPE_ROLES; role++) {
    if (!ends_prevail(sum, role)) continue;
    const std::vector<lunscope_totals> later = read();
    for (size_t i = 0; i < copies.size(); i++) {
      if (!ends_prevail(later[i], role)) lunscope_totals_take_commands(&copies[i], &later[i], role);
    }
    sum = SumOf<lunscope_totals>(copies);
  }
  return sum;
}

}  // namespace lunscope
