// SPDX-License-Identifier: Apache-2.0
// One target as a libFuzzer program. With `--write-seeds FOLDER` in place of libFuzzer's arguments,
// it writes the inputs from which a search starts, one file each.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "tests/fuzz/target.h"

namespace {

void WriteSeeds(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  size_t number = 0;
  for (const lunscope::Bytes& seed : lunscope::LUNSCOPE_FUZZ_TARGET.seeds()) {
    std::ofstream file(folder / fmt::format("seed-{:03}", number++), std::ios::binary);
    file.write(reinterpret_cast<const char*>(seed.data()),
               static_cast<std::streamsize>(seed.size()));
    if (!file.flush()) std::exit(1);
  }
  std::exit(0);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  if (*argc == 3 && std::string_view((*argv)[1]) == "--write-seeds") WriteSeeds((*argv)[2]);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lunscope::LUNSCOPE_FUZZ_TARGET.run({data, size});
  return 0;
}
