// SPDX-License-Identifier: Apache-2.0
//
// Numbers of the wire as words, for people (the names of libsgutils2 and of the RFCs) and for
// labels (snake case). Each code has one name here, and its label is made of that name.
#pragma once

#include "collector/names/iscsi_names.h"
#include "collector/names/scsi_names.h"
