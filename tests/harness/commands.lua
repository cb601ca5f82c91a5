-- SPDX-License-Identifier: Apache-2.0
-- A tshark tap: one line of tab-separated values per iSCSI PDU, in stream order. Columns:
-- tcp.stream, initiator's port, opcode, ITT, DataSegmentLength, LUN, EDTL, CDB opcode, status, and
-- the time of the frame in ns: the one with the PDU's last byte, where tshark takes it apart.
--
-- `-T fields` prints one line per frame and one list per field, and in a frame of many PDUs nothing
-- says which CDB belongs to which header; the offsets of the fields do (RFC 7143, section 11).

local from_port, to_port = Field.new("tcp.srcport"), Field.new("tcp.dstport")
local stream, time = Field.new("tcp.stream"), Field.new("frame.time_epoch")
local opcode = Field.new("iscsi.opcode")
local columns = {  -- where the value stands in the header, and the fields that may hold it
  {16, {Field.new("iscsi.initiatortasktag")}},
  {5, {Field.new("iscsi.datasegmentlength")}},
  {8, {Field.new("scsi.lun")}},
  {20, {Field.new("iscsi.scsicommand.expecteddatatransferlength")}},
  {32, {Field.new("scsi.spc.opcode"), Field.new("scsi_sbc.opcode"), Field.new("scsi_mmc.opcode"),
        Field.new("scsi_ssc.opcode"), Field.new("scsi_smc.opcode"), Field.new("scsi_osd.opcode")}},
  {3, {Field.new("iscsi.scsiresponse.status")}},
}

-- All occurrences of a column in this frame, in order. Fields of length 0 are tshark's own remarks
-- about an earlier frame and stand in no header.
local function occurrences(fields)
  local found = {}
  for _, field in ipairs(fields) do
    for _, info in ipairs({field()}) do
      if info.len > 0 then found[#found + 1] = info end
    end
  end
  return found
end

local tap = Listener.new("frame", "iscsi")

function tap.packet()
  local headers = {opcode()}
  local lists = {}
  for i, column in ipairs(columns) do lists[i] = occurrences(column[2]) end
  for number, header in ipairs(headers) do
    local port = header.value >= 0x20 and to_port().value or from_port().value
    local row = {tostring(stream().value), tostring(port), tostring(header.value)}
    for i, column in ipairs(columns) do
      local value = ""
      -- A PDU that began in an earlier frame has offsets of its own, which can be those of another
      -- PDU of this frame; the first match not yet used is the right one, for both are in order.
      for k, info in ipairs(lists[i]) do
        if info.offset == header.offset + column[1] then
          value = tostring(info.value)
          table.remove(lists[i], k)
          break
        end
      end
      row[#row + 1] = value
    end
    local seconds = time().value
    row[#row + 1] = string.format("%d%09d", seconds.secs, seconds.nsecs)
    io.write(table.concat(row, "\t"), "\n")
  end
end
