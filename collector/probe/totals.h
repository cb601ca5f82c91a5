// SPDX-License-Identifier: Apache-2.0
//
// Counts of the kernel, of which there are several copies. Totals is 64-bit counts alone.
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

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

// Every value of an array per CPU, summed over values and CPUs. A copy that is not balanced is
// being written, and is read again, as often as makes sense.
template <typename Totals>
Totals SumOverCpus(
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
  return SumOf<Totals>(copies);
}

}  // namespace lunscope
