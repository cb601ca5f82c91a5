/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reasons: every answer to "why was this not reported, not parsed or not kept?". A reason is one
 * row: X(ENUMERATOR, "label", "help"). The label is the value of the metric label `reason`, the
 * help is a sentence for the reader of the metric. Programs count by enumerator.
 */
#ifndef LUNSCOPE_REASONS_H
#define LUNSCOPE_REASONS_H

#include "types.h"

/* Why a command that was seen on a connection is not reported with a status. */
#define LUNSCOPE_UNREPORTED_REASONS(X)                                                           \
  X(RING_FULL, "ring_full", "The ring had no room for the record.")                              \
  X(RING_BUSY, "ring_busy", "Another CPU held the lock of the ring for too long.")               \
  X(TABLE_FULL, "table_full", "The connection's table of commands in flight had no free place.") \
  X(ITT_REUSED, "itt_reused",                                                                    \
    "The command was never answered, and a new command took its initiator task tag.")            \
  X(REJECTED, "rejected", "The target answered the command with a Reject PDU.")                  \
  X(ABORTED, "aborted", "A task management function ended the command.")                         \
  X(NO_SUCH_TASK, "no_such_task",                                                                \
    "The initiator asked to abort the command, and the target did not know it.")                 \
  X(BEYOND_WINDOW, "beyond_window",                                                              \
    "The CmdSN of the command was above the target's MaxCmdSN, so the target ignored it.")       \
  X(GAP, "gap",                                                                                  \
    "The command was in flight while bytes were missed, and its status was among them.")         \
  X(CONNECTION_CLOSED, "connection_closed", "The connection ended before the command was answered.")

/* Why the PDU boundaries of a stream are unknown. The first is no gap. */
#define LUNSCOPE_SYNC_REASONS(X)                                                                 \
  X(ATTACH, "attach", "The connection was open before lunscope started.")                        \
  X(MISSING_BYTES, "missing_bytes", "A PDU header was among bytes that no hook saw.")            \
  X(BAD_HEADER, "bad_header", "There was no valid PDU header at the place where one had to be.") \
  X(NOT_ISCSI, "not_iscsi", "The connection does not begin with a login.")

/* Why a record did not get into the ring. */
#define LUNSCOPE_LOSS_REASONS(X)                                                \
  X(FULL, "full", "The ring had no room for the record.")                       \
  X(BUSY, "busy", "Another CPU held the lock of the ring for too long.")        \
  X(RESERVED, "reserved",                                                       \
    "The ring had room only for records of commands that ended with a status.") \
  X(RATE, "rate", "The connection had more management PDUs than one connection has records for.")

/* How a TCP connection ended, or why it never began: who was first, and by what. */
#define LUNSCOPE_ENDS(X)                                                                     \
  X(UNKNOWN, "unknown", "The record of its end was lost, or the capture does not have it.")  \
  X(CLOSED_HERE, "closed_here", "This host sent its FIN first.")                             \
  X(CLOSED_BY_PEER, "closed_by_peer", "The peer sent its FIN first.")                        \
  X(RESET_HERE, "reset_here",                                                                \
    "This host sent an RST: it closed without reading what was "                             \
    "there, or somebody ended the connection.")                                              \
  X(RESET_BY_PEER, "reset_by_peer", "The peer sent an RST.")                                 \
  X(TIMED_OUT, "timed_out", "The peer acknowledged nothing for too long.")                   \
  X(UNREACHABLE, "unreachable", "The network said that the peer cannot be reached.")         \
  X(REFUSED, "refused", "The peer refused the connection: it answered the SYN with an RST.") \
  X(UNANSWERED, "unanswered", "The peer did not answer the SYN, which was sent again twice.")

/* Why a command that a SCSI layer took has no record. */
#define LUNSCOPE_SCSI_UNREPORTED_REASONS(X)                                                      \
  X(RING_FULL, "ring_full", "The ring had no room for the record.")                              \
  X(RING_BUSY, "ring_busy", "Another CPU held the lock of the ring for too long.")               \
  X(TABLE_FULL, "table_full", "The table of commands in flight had no free place.")              \
  X(REFUSED, "refused",                                                                          \
    "The low-level driver refused the command; the mid-layer dispatches it again.")              \
  X(TIMED_OUT, "timed_out",                                                                      \
    "The mid-layer's error handler ended the command, where the kernel has no hook.")            \
  X(NOT_ENDED, "not_ended",                                                                      \
    "lunscope saw no end of the command before its memory was used again, for example after an " \
    "abort by LIO, where the kernel has no hook.")

/* Why a low-level driver refused a command (include/scsi/scsi.h). */
#define LUNSCOPE_SCSI_REFUSALS(X)                                                \
  X(HOST, "host_busy", "The whole SCSI host was busy (SCSI_MLQUEUE_HOST_BUSY).") \
  X(DEVICE, "device_busy", "The device was busy (SCSI_MLQUEUE_DEVICE_BUSY).")    \
  X(TARGET, "target_busy", "The target was busy (SCSI_MLQUEUE_TARGET_BUSY).")    \
  X(OTHER, "other", "The driver gave another reason.")

#define LUNSCOPE_UNREPORTED_ENUM(name, label, help) LUNSCOPE_UNREPORTED_##name,
#define LUNSCOPE_SYNC_ENUM(name, label, help) LUNSCOPE_REASON_##name,
#define LUNSCOPE_LOSS_ENUM(name, label, help) LUNSCOPE_LOSS_##name,
#define LUNSCOPE_END_ENUM(name, label, help) LUNSCOPE_END_##name,
#define LUNSCOPE_SCSI_UNREPORTED_ENUM(name, label, help) LUNSCOPE_SCSI_UNREPORTED_##name,
#define LUNSCOPE_SCSI_REFUSAL_ENUM(name, label, help) LUNSCOPE_SCSI_REFUSAL_##name,
enum lunscope_unreported {
  LUNSCOPE_UNREPORTED_REASONS(LUNSCOPE_UNREPORTED_ENUM) LUNSCOPE_UNREPORTED_COUNT
};
enum lunscope_sync_reason { LUNSCOPE_SYNC_REASONS(LUNSCOPE_SYNC_ENUM) LUNSCOPE_REASON_COUNT };
enum lunscope_loss { LUNSCOPE_LOSS_REASONS(LUNSCOPE_LOSS_ENUM) LUNSCOPE_LOSS_COUNT };
enum lunscope_end { LUNSCOPE_ENDS(LUNSCOPE_END_ENUM) LUNSCOPE_END_COUNT };
enum lunscope_scsi_unreported {
  LUNSCOPE_SCSI_UNREPORTED_REASONS(LUNSCOPE_SCSI_UNREPORTED_ENUM) LUNSCOPE_SCSI_UNREPORTED_COUNT
};
enum lunscope_scsi_refusal {
  LUNSCOPE_SCSI_REFUSALS(LUNSCOPE_SCSI_REFUSAL_ENUM) LUNSCOPE_SCSI_REFUSAL_COUNT
};

/* no_status of a record in a walk, and only there: the command is in flight, and its duration is
 * its age. */
#define LUNSCOPE_OPEN 255

/* A masked reason is an index, as the BPF verifier wants it. */
#define LUNSCOPE_REASON_MASK 3
LUNSCOPE_STATIC_ASSERT(LUNSCOPE_REASON_COUNT == LUNSCOPE_REASON_MASK + 1, "a mask bounds an index");

#endif
