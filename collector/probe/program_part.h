// SPDX-License-Identifier: Apache-2.0
//
// Some programs of an object, loaded apart from the rest, with the maps of another
// skeleton of the same object. So programs can come and go while the maps keep what they hold.
#pragma once

#include <cerrno>
#include <type_traits>
#include <utility>
#include <vector>

#include "collector/base/result.h"
#include "collector/probe/kernel_error.h"
#include "collector/probe/programs.h"
#include "collector/probe/skeleton.h"

namespace lunscope {

template <typename Object>
struct ProgramPart {
  SkeletonOf<Object> skeleton;
  std::vector<Link> links;
};

// Have only these programs loaded, with the maps of another object.
// REQUIRES: object is open and not loaded; maps is loaded, and has a map for each of object's.
Status PreparePart(bpf_object* object, const bpf_object& maps, const ProgramFilter& is_wanted);

// REQUIRES: maps is loaded, and outlives the part.
template <typename Object>
Result<ProgramPart<Object>> LoadPart(const Object& maps, const ProgramFilter& is_wanted) {
  ProgramPart<Object> part{SkeletonOf<Object>(Object::open()), {}};
  if (!part.skeleton) return KernelError("opening the programs", errno);
  // The hooks of the SCSI layers are in modules; those of iSCSI are not.
  if constexpr (std::is_same_v<Object, lunscope_bpf>) LeaveOutModules(part.skeleton->obj);
  Status prepared = PreparePart(part.skeleton->obj, *maps.obj, is_wanted);
  if (!prepared.ok()) return prepared.error();
  if (const int error = Object::load(part.skeleton.get()); error != 0)
    return KernelError("loading the programs", -error);
  return part;
}

// The same, and attach the programs.
template <typename Object>
Result<ProgramPart<Object>> AttachPart(const Object& maps, const ProgramFilter& is_wanted) {
  Result<ProgramPart<Object>> part = LoadPart(maps, is_wanted);
  if (!part.ok()) return part;
  Result<std::vector<Link>> links =
      AttachPrograms(SelectPrograms(part.value().skeleton->obj, IsLoaded));
  if (!links.ok()) return links.error();
  part.value().links = std::move(links.value());
  return part;
}

}  // namespace lunscope
