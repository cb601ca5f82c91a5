// SPDX-License-Identifier: Apache-2.0
//
// The metric catalogue as text: for people, and as JSON for programs.
#pragma once

#include <string>

namespace lunscope {

// The metrics by topic; then each label with its values explained.
std::string CatalogueText();

// {"metrics": [...]}, with one line for each metric.
std::string CatalogueJson();

}  // namespace lunscope
