// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace lunscope {

// From now on an exception that nobody catches, in whichever thread, ends the process with a
// sentence on standard error and exit code 1. A program whose thread has died looks well, and does
// only a part of its work.
void SetLastWords();

}  // namespace lunscope
