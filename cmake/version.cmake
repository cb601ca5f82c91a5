# SPDX-License-Identifier: Apache-2.0
#
# Writes version.cc. A build runs this script each time, so that the revision is that of the build
# and not that of the last configure run. The file changes only when its text does.
#
#   cmake -DSOURCE=... -DOUTPUT=... -DVERSION=... -P version.cmake
execute_process(
  COMMAND git -C ${SOURCE} rev-parse --short=12 HEAD
  OUTPUT_VARIABLE REVISION OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT REVISION)
  set(REVISION unknown)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [[
// SPDX-License-Identifier: Apache-2.0
// Written by cmake/version.cmake.
#include "collector/base/version.h"

namespace lunscope {

const char* const kVersion = "@VERSION@";
const char* const kRevision = "@REVISION@";

}  // namespace lunscope
]])
