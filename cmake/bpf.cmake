# SPDX-License-Identifier: Apache-2.0
#
# add_bpf_skeleton(NAME SOURCE): compile SOURCE for BPF and make the target NAME_skeleton, which
# provides NAME.skel.h. Needs clang and bpftool; needs neither kernel headers nor BTF.
find_program(CLANG clang REQUIRED)
find_program(BPFTOOL bpftool REQUIRED PATHS /usr/sbin /sbin)

function(add_bpf_skeleton NAME SOURCE)
  set(OBJECT ${CMAKE_CURRENT_BINARY_DIR}/bpf/${NAME}.bpf.o)
  set(SKELETON ${CMAKE_CURRENT_BINARY_DIR}/bpf/${NAME}.skel.h)
  file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/bpf)
  set(STRICT $<$<BOOL:${LUNSCOPE_WERROR}>:-Werror>)
  # <linux/types.h> includes <asm/types.h>, which Debian keeps in a folder per architecture.
  set(ARCH_INCLUDE /usr/include/${CMAKE_C_LIBRARY_ARCHITECTURE})
  add_custom_command(
    OUTPUT ${OBJECT}
    COMMAND ${CLANG} -g -O2 -target bpf -mcpu=v3 -ffreestanding -Wall -Wextra ${STRICT}
            -Wno-unused-parameter -I${CMAKE_SOURCE_DIR}/include -idirafter ${ARCH_INCLUDE}
            -MD -MF ${OBJECT}.d -MT ${OBJECT} -c ${SOURCE} -o ${OBJECT}
    DEPENDS ${SOURCE} DEPFILE ${OBJECT}.d
    COMMENT "Compiling ${NAME} for BPF" VERBATIM COMMAND_EXPAND_LISTS)
  add_custom_command(
    OUTPUT ${SKELETON}
    COMMAND ${BPFTOOL} gen skeleton ${OBJECT} name ${NAME}_bpf > ${SKELETON}
    DEPENDS ${OBJECT} COMMENT "Generating the skeleton of ${NAME}" VERBATIM)
  add_custom_target(${NAME}_skeleton_header DEPENDS ${SKELETON})
  add_library(${NAME}_skeleton INTERFACE)
  add_dependencies(${NAME}_skeleton ${NAME}_skeleton_header)
  target_include_directories(${NAME}_skeleton SYSTEM INTERFACE ${CMAKE_CURRENT_BINARY_DIR}/bpf)
endfunction()
