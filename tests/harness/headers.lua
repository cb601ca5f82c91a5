-- SPDX-License-Identifier: Apache-2.0
-- A tshark tap: one line of tab-separated values per iSCSI PDU, in the order of the capture.
-- Columns: initiator's port, opcode, then the fields that the argument of the script names, with
-- commas between them (tshark crashes when they are many arguments), each empty where tshark shows
-- none in this PDU's header (RFC 7143 section 11.2). Numbers are decimal, flags 0 or 1, bytes hex.
-- LUN names all eight bytes of a LUN, which tshark has as a line of text only.
--
-- As in commands.lua, the offsets of the fields say which PDU of a frame they belong to.

local BHS_LENGTH, AHS_LENGTH_OFFSET = 48, 4
local LUN, LUN_OFFSET, LUN_LENGTH = "LUN", 8, 8
local FROM_TARGET = 0x20

local from_port, to_port = Field.new("tcp.srcport"), Field.new("tcp.dstport")
local opcode, ahs_length = Field.new("iscsi.opcode"), Field.new("iscsi.totalahslength")
local names, fields = {}, {}
for name in string.gmatch((...), "[^,]+") do
  names[#names + 1] = name
  fields[#fields + 1] = Field.new(name == LUN and "text" or name)
end

local function text_of(name, info)
  if name == LUN then return tostring(info.range:bytes()):lower() end
  local value = info.value
  if type(value) == "boolean" then return value and "1" or "0" end
  return tostring(value):lower()
end

local function is_within(name, info, header)
  local place = info.offset - header.offset
  if name == LUN then return place == LUN_OFFSET and info.len == LUN_LENGTH end
  return place >= 0 and place < header.length and info.len > 0
end

-- Of a field that a header has twice, the first counts. The first header without the field is the
-- right one where offsets are the same in two PDUs, for both lists are in order.
local function place_all(column, headers)
  for _, info in ipairs({fields[column]()}) do
    for _, header in ipairs(headers) do
      if header.row[column] == nil and is_within(names[column], info, header) then
        header.row[column] = text_of(names[column], info)
        break
      end
    end
  end
end

local function headers_of_frame()
  local ahs = {}
  for _, info in ipairs({ahs_length()}) do
    ahs[info.offset - AHS_LENGTH_OFFSET] = info.value * 4
  end
  local headers = {}
  for number, info in ipairs({opcode()}) do
    headers[number] = {offset = info.offset, opcode = info.value, row = {},
                       length = BHS_LENGTH + (ahs[info.offset] or 0)}
  end
  return headers
end

local tap = Listener.new("frame", "iscsi")

function tap.packet()
  local headers = headers_of_frame()
  for column = 1, #names do place_all(column, headers) end
  for _, header in ipairs(headers) do
    local port = header.opcode >= FROM_TARGET and to_port().value or from_port().value
    local row = header.row
    for column = 1, #names do row[column] = row[column] or "" end
    io.write(port, "\t", header.opcode, "\t", table.concat(row, "\t"), "\n")
  end
end
