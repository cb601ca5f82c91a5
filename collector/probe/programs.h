// SPDX-License-Identifier: Apache-2.0
//
// The programs of a BPF object. The object itself is their table: SEC() in bpf/ names the hook of
// each program, and nothing here names it again. A section that begins with "?" is not loaded
// unless asked for (libbpf's autoload).
#pragma once

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "collector/base/result.h"
#include "collector/probe/record_source.h"

namespace lunscope {

struct LinkDeleter {
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};
using Link = std::unique_ptr<bpf_link, LinkDeleter>;

using ProgramFilter = std::function<bool(const bpf_program*)>;

// The programs that the filter accepts, in the order of the source.
std::vector<bpf_program*> SelectPrograms(const bpf_object* object, const ProgramFilter& accepts);

// Accepts the program of this name. It may belong to another skeleton of the same object.
ProgramFilter IsNamedLike(const bpf_program* wanted);

// Without CAP_SYS_ADMIN, have libbpf look for functions in the kernel itself and not in its
// modules, for the kernel shows the types of modules to no one else. libbpf takes that for an error
// of the whole object, even where it looks for a weak symbol, which may be absent
// (load_module_btfs() of libbpf 1.1). It looks once; so this has it look before the load, and fail
// there. REQUIRES: object is open and not loaded.
void LeaveOutModules(bpf_object* object);

// Whether loading the object loads this program.
bool IsLoaded(const bpf_program* program);
// Whether a reader of an iterator runs this program, and not a hook.
bool IsWalk(const bpf_program* program);
// Whether a hook runs this program, and it is loaded.
bool IsLoadedHook(const bpf_program* program);

// "tcp_probe" for "tp_btf/tcp_probe"; "" if the program does not hook a tracepoint.
std::string TracepointOf(const bpf_program* program);
// The hook as `lunscope check` writes it: "tracepoint tcp_probe", "fentry/skb_prepare_seq_read".
std::string HookName(const bpf_program* program);

// Whether the kernel has this tracepoint. types: of the kernel or module; nullptr has none.
bool HasTracepoint(const btf* types, const std::string& tracepoint);

// The state of a program in the kernel. attached: the program is loaded.
ProgramState StateOf(const bpf_program* program);

// Attach each program.
Result<std::vector<Link>> AttachPrograms(const std::vector<bpf_program*>& programs);

}  // namespace lunscope
