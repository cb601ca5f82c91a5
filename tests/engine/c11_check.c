/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine is C before it is anything else. That this file compiles as strict C11 is the test;
 * the headers come in an order in which each has to bring what it needs.
 */
#include <lunscope/text.h>
/* clang-format off */
#include <lunscope/scsi.h>
#include <lunscope/iscsi.h>
#include <lunscope/arrivals.h>
#include <lunscope/stream.h>
#include <lunscope/records.h>
#include <lunscope/command.h>
#include <lunscope/connection.h>
/* clang-format on */

/* The entry points, called as the kernel calls them, so that nothing stays an unused inline. */
int lunscope_c11_check(struct lunscope_connection* connection, struct lunscope_totals* totals,
                       struct lunscope_command_record* record) {
  struct lunscope_stream* stream = &connection->streams[LUNSCOPE_SENT];
  if (lunscope_stream_offer(stream, 0, 48) != LUNSCOPE_OFFER_NEW) return 0;
  if (lunscope_stream_take(stream, lunscope_stream_wants(stream, 48)) == LUNSCOPE_TAKE_HEADER)
    lunscope_connection_header(connection, 0, LUNSCOPE_SENT, 0, totals);
  lunscope_fill_command(record, connection, LUNSCOPE_SENT, &connection->inflight.commands[0], 0);
  lunscope_connection_delivered(connection, 0, LUNSCOPE_SENT, LUNSCOPE_DUE_COMMAND,
                                LUNSCOPE_DELIVERED, totals);
  lunscope_connection_end_text(connection, LUNSCOPE_SENT);
  return lunscope_text_take(&connection->texts[LUNSCOPE_SENT], *lunscope_stream_chunk(stream)) +
         (int)scsi_deciding_bits(record->cdb[0]) + (int)scsi_read_sense(stream->room, 18).key;
}
