// SPDX-License-Identifier: Apache-2.0
//
// The order of two packets by TCP's own numbers, whatever their times are. Pure.
#pragma once

#include "collector/replay/packet_reader.h"

namespace lunscope {

// Did `packet` pass the interface behind `earlier`? It did if it has later bytes of the same
// direction, or acknowledges bytes of the other one. False: it did not, or nobody knows, as with
// packets of two interfaces, or of Linux cooked captures (version 1), which do not name theirs.
bool CameBehind(const CapturedPacket& packet, const CapturedPacket& earlier);

}  // namespace lunscope
