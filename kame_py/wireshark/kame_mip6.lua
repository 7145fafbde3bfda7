-- SPDX-License-Identifier: BSD-3-Clause
-- Wireshark and tshark (4.0 or newer): Mobile IPv6 as the Internet drafts had it before RFC 3775.
--
-- Binding Update (0xC6), Binding Acknowledgement (0x07) and Binding Request (0x08) are destination
-- options there, home agent discovery and prefix propagation are ICMPv6 150-153. These numbers were
-- given away later: without this file the options read as CALIPSO and SMF_DPD, the messages as
-- multicast router discovery. It takes over a Destination Options header only if such an option
-- is in it, and an ICMPv6 message only if it is long enough to be one of the drafts'; everything
-- else goes to the built-in dissectors.
--
--   tshark -X lua_script:tools/wireshark/kame_mip6.lua -r FILE
--   tshark -X lua_script:... -o kame_mip6.dialect:draft-13 -r FILE
--
-- Read first: draft-ietf-mobileip-ipv6-15 s.5 and s.6, draft-ietf-mobileip-ipv6-13 s.5.

local kame = Proto("kame_mip6", "Mobile IPv6 (Internet drafts 13 and 15)")

local DRAFT_13, DRAFT_15 = 13, 15
kame.prefs.dialect = Pref.enum("Dialect", DRAFT_15,
  "Which draft the options are read by; sub-option 4 differs between them",
  { { 1, "draft-15", DRAFT_15 }, { 2, "draft-13", DRAFT_13 } }, false)

local PROTO_NONE, PROTO_DSTOPTS, PROTO_ICMPV6 = 59, 60, 58
local OPT_PAD1, OPT_PADN, OPT_BA, OPT_BR, OPT_BU, OPT_HAO = 0x00, 0x01, 0x07, 0x08, 0xC6, 0xC9
local SUB_UID, SUB_ALTCOA_15, SUB_4 = 2, 3, 4 -- SUB_4: authentication data (15) or care-of (13)
local ADDR_LEN = 16
local INFINITE = 0xffffffff

local option_names = {
  [OPT_PAD1] = "Pad1", [OPT_PADN] = "PadN", [OPT_BA] = "Binding Acknowledgement",
  [OPT_BR] = "Binding Request", [OPT_BU] = "Binding Update", [OPT_HAO] = "Home Address",
}
local subopt_names = {
  [DRAFT_15] = { [0] = "Pad1", "PadN", "Unique Identifier", "Alternate Care-of Address",
                 "Authentication Data" },
  [DRAFT_13] = { [0] = "Pad1", "PadN", "Unique Identifier", [4] = "Alternate Care-of Address" },
}
local status_names = {
  [0] = "Binding Update accepted", [128] = "Reason unspecified",
  [130] = "Administratively prohibited", [131] = "Insufficient resources",
  [132] = "Home registration not supported", [133] = "Not home subnet",
  [136] = "Incorrect interface identifier length", [137] = "Not home agent for this mobile node",
  [138] = "Duplicate Address Detection failed", [139] = "No security association",
  [141] = "Sequence number too small",
}
local icmp_names = {
  [150] = "Home Agent Address Discovery Request", [151] = "Home Agent Address Discovery Reply",
  [152] = "Mobile Prefix Solicitation", [153] = "Mobile Prefix Advertisement",
}
-- The later owners of the numbers send 8, 8, 4 and 4 octets (RFC 4286); 150 is told by its code.
local icmp_least = { [150] = 8, [151] = 16, [152] = 8, [153] = 12 }
local nd_names = {
  [1] = "Source link-layer address", [3] = "Prefix Information", [7] = "Advertisement Interval",
  [8] = "Home Agent Information",
}
local cksum_names = { [0] = "Bad", [1] = "Good", [2] = "Unverified" }

local function flag(abbr, name, bits, mask)
  return ProtoField.bool("kame_mip6." .. abbr, name, bits, nil, mask)
end

local f = {
  nxt = ProtoField.uint8("kame_mip6.nxt", "Next Header", base.DEC),
  hdrlen = ProtoField.uint8("kame_mip6.hdrlen", "Length (8 octets behind the first)", base.DEC),
  opt_type = ProtoField.uint8("kame_mip6.opt.type", "Option Type", base.HEX, option_names),
  opt_len = ProtoField.uint8("kame_mip6.opt.length", "Option Length", base.DEC),
  opt_data = ProtoField.bytes("kame_mip6.opt.data", "Option Data"),
  hoa = ProtoField.ipv6("kame_mip6.hoa", "Home Address"),

  bu_flags = ProtoField.uint8("kame_mip6.bu.flags", "Flags", base.HEX),
  bu_a = flag("bu.flags.a", "Acknowledge (A)", 8, 0x80),
  bu_h = flag("bu.flags.h", "Home Registration (H)", 8, 0x40),
  bu_s = flag("bu.flags.s", "Single Address Only (S)", 8, 0x20),
  bu_r = flag("bu.flags.r", "Router (R)", 8, 0x20),
  bu_d = flag("bu.flags.d", "Duplicate Address Detection (D)", 8, 0x10),
  bu_prefixlen = ProtoField.uint8("kame_mip6.bu.prefixlen", "Prefix Length", base.DEC),
  bu_reserved = ProtoField.uint16("kame_mip6.bu.reserved", "Reserved", base.HEX),
  bu_seq = ProtoField.uint16("kame_mip6.bu.seq", "Sequence Number", base.DEC),
  bu_lifetime = ProtoField.uint32("kame_mip6.bu.lifetime", "Lifetime (s)", base.DEC),

  ba_status = ProtoField.uint8("kame_mip6.ba.status", "Status", base.DEC, status_names),
  ba_reserved = ProtoField.uint8("kame_mip6.ba.reserved", "Reserved", base.HEX),
  ba_seq = ProtoField.uint16("kame_mip6.ba.seq", "Sequence Number", base.DEC),
  ba_lifetime = ProtoField.uint32("kame_mip6.ba.lifetime", "Lifetime (s)", base.DEC),
  ba_refresh = ProtoField.uint32("kame_mip6.ba.refresh", "Refresh (s)", base.DEC),

  sub_type = ProtoField.uint8("kame_mip6.sub.type", "Sub-option Type", base.DEC),
  sub_len = ProtoField.uint8("kame_mip6.sub.length", "Sub-option Length", base.DEC),
  sub_data = ProtoField.bytes("kame_mip6.sub.data", "Sub-option Data"),
  uid = ProtoField.uint16("kame_mip6.uid", "Unique Identifier", base.HEX),
  altcoa = ProtoField.ipv6("kame_mip6.altcoa", "Alternate Care-of Address"),
  auth_spi = ProtoField.uint32("kame_mip6.auth.spi", "Security Parameters Index", base.HEX),
  auth_data = ProtoField.bytes("kame_mip6.auth.data", "Authentication Data"),

  icmp_type = ProtoField.uint8("kame_mip6.icmp.type", "Type", base.DEC, icmp_names),
  icmp_code = ProtoField.uint8("kame_mip6.icmp.code", "Code", base.DEC),
  icmp_cksum = ProtoField.uint16("kame_mip6.icmp.checksum", "Checksum", base.HEX),
  icmp_cksum_status = ProtoField.uint8("kame_mip6.icmp.checksum.status", "Checksum Status",
    base.DEC, cksum_names),
  icmp_reserved = ProtoField.bytes("kame_mip6.icmp.reserved", "Reserved"),
  dhaad_id = ProtoField.uint16("kame_mip6.dhaad.id", "Identifier", base.HEX),
  dhaad_hoa = ProtoField.ipv6("kame_mip6.dhaad.hoa", "Home Address"),
  dhaad_addr = ProtoField.ipv6("kame_mip6.dhaad.addr", "Home Agent Address"),

  nd_type = ProtoField.uint8("kame_mip6.nd.type", "Type", base.DEC, nd_names),
  nd_len = ProtoField.uint8("kame_mip6.nd.length", "Length (8 octets)", base.DEC),
  nd_data = ProtoField.bytes("kame_mip6.nd.data", "Data"),
  nd_mac = ProtoField.bytes("kame_mip6.nd.lladdr", "Link-layer Address", base.COLON),
  nd_plen = ProtoField.uint8("kame_mip6.nd.prefixlen", "Prefix Length", base.DEC),
  nd_flags = ProtoField.uint8("kame_mip6.nd.flags", "Flags", base.HEX),
  nd_l = flag("nd.flags.l", "On-link (L)", 8, 0x80),
  nd_a = flag("nd.flags.a", "Autonomous (A)", 8, 0x40),
  nd_r = flag("nd.flags.r", "Router Address (R)", 8, 0x20),
  nd_valid = ProtoField.uint32("kame_mip6.nd.valid", "Valid Lifetime (s)", base.DEC),
  nd_preferred = ProtoField.uint32("kame_mip6.nd.preferred", "Preferred Lifetime (s)", base.DEC),
  nd_prefix = ProtoField.ipv6("kame_mip6.nd.prefix", "Prefix"),
  nd_interval = ProtoField.uint32("kame_mip6.nd.interval", "Interval (ms)", base.DEC),
  nd_ha_pref = ProtoField.int16("kame_mip6.nd.ha.preference", "Home Agent Preference", base.DEC),
  nd_ha_life = ProtoField.uint16("kame_mip6.nd.ha.lifetime", "Home Agent Lifetime (s)", base.DEC),
}
local all_fields = {}
for _, field in pairs(f) do all_fields[#all_fields + 1] = field end
kame.fields = all_fields

local ef_length = ProtoExpert.new("kame_mip6.length.bad", "Length does not fit",
  expert.group.MALFORMED, expert.severity.ERROR)
local ef_cksum = ProtoExpert.new("kame_mip6.checksum.bad", "Bad checksum",
  expert.group.CHECKSUM, expert.severity.ERROR)
local ef_cut = ProtoExpert.new("kame_mip6.cut", "Header cut short by the capture",
  expert.group.UNDECODED, expert.severity.NOTE)
kame.experts = { ef_length, ef_cksum, ef_cut }

-- A field that this release of Wireshark does not know is never found.
local function extractor(name)
  local known, field = pcall(Field.new, name)
  return known and field or function() return nil end
end

local field_src, field_dst = extractor("ipv6.src"), extractor("ipv6.dst")
local field_hao = extractor("ipv6.opt.mipv6.home_address")
local field_own_hao = extractor("kame_mip6.hoa")
local field_rh = extractor("ipv6.routing.src.addr")
local field_rh2 = extractor("ipv6.routing.mipv6.home_address")

local by_proto = DissectorTable.get("ip.proto")
local builtin_dstopts = by_proto:get_dissector(PROTO_DSTOPTS)
local data = Dissector.get("data")
local builtin_icmpv6 = by_proto:get_dissector(PROTO_ICMPV6)

-- Call a dissector that is not ours. A packet it finds malformed is already marked as such in the
-- tree; only other failures go on.
local function hand_over(dissector, buf, pinfo, tree)
  local done, result = pcall(dissector.call, dissector, buf, pinfo, tree)
  if done then return result end
  if not tostring(result):find("Malformed", 1, true) then error(result, 0) end
  return buf:captured_len()
end

-- Type-length-value walk over buf[first, last): calls see(type, offset, size) per element, size
-- counting type and length; false if an element runs over the end.
local function walk(buf, first, last, see)
  local off = first
  while off < last do
    local kind = buf(off, 1):uint()
    local size = 1
    if kind ~= 0 then
      if off + 2 > last then return false end
      size = 2 + buf(off + 1, 1):uint()
    end
    if off + size > last then return false end
    see(kind, off, size)
    off = off + size
  end
  return true
end

local function seconds(value)
  return value == INFINITE and "infinite" or tostring(value)
end

-- Sub-options

local function subopt_body(item, range, kind, dialect)
  local size = range:len() - 2
  if kind == SUB_UID and size == 2 then
    item:add(f.uid, range(2, 2))
  elseif kind == (dialect == DRAFT_13 and SUB_4 or SUB_ALTCOA_15) and size == ADDR_LEN then
    item:add(f.altcoa, range(2, ADDR_LEN))
  elseif kind == SUB_4 and dialect == DRAFT_15 and size >= 4 then
    item:add(f.auth_spi, range(2, 4))
    if size > 4 then item:add(f.auth_data, range(6, size - 4)) end
  elseif size > 0 then
    item:add(f.sub_data, range(2, size))
  end
end

local function subopts(buf, first, last, tree, dialect)
  local fits = walk(buf, first, last, function(kind, off, size)
    local range = buf(off, size)
    local name = subopt_names[dialect][kind] or ("Unknown sub-option " .. kind)
    local item = tree:add(kame, range, name)
    item:add(f.sub_type, range(0, 1))
    if size > 1 then
      item:add(f.sub_len, range(1, 1))
      subopt_body(item, range, kind, dialect)
    end
  end)
  if not fits then tree:add_proto_expert_info(ef_length, "A sub-option runs over its option") end
end

-- Options: each returns the text for the Info column, or nil if the fixed part does not fit

local function binding_update(buf, off, last, item, dialect)
  if last - off < 10 then return nil end
  local d13 = dialect == DRAFT_13
  local flags = buf(off + 2, 1)
  local sub = item:add(f.bu_flags, flags)
  sub:add(f.bu_a, flags)
  sub:add(f.bu_h, flags)
  sub:add(d13 and f.bu_r or f.bu_s, flags)
  sub:add(f.bu_d, flags)
  local seq
  if d13 then
    item:add(f.bu_prefixlen, buf(off + 3, 1))
    seq = buf(off + 4, 2)
  else
    item:add(f.bu_reserved, buf(off + 3, 2))
    seq = buf(off + 5, 1)
  end
  item:add(f.bu_seq, seq)
  local life = buf(off + 6, 4)
  item:add(f.bu_lifetime, life)
  subopts(buf, off + 10, last, item, dialect)
  local letters = ""
  for i, letter in ipairs({ "A", "H", d13 and "R" or "S", "D" }) do
    if flags:bitfield(i - 1, 1) == 1 then letters = letters .. letter end
  end
  if letters ~= "" then letters = letters .. " " end
  return string.format("Binding Update seq=%d %slife=%s", seq:uint(), letters,
    seconds(life:uint()))
end

local function binding_ack(buf, off, last, item, dialect)
  if last - off < 13 then return nil end
  local status = buf(off + 2, 1)
  item:add(f.ba_status, status)
  local seq
  if dialect == DRAFT_13 then
    seq = buf(off + 3, 2)
  else
    item:add(f.ba_reserved, buf(off + 3, 1))
    seq = buf(off + 4, 1)
  end
  item:add(f.ba_seq, seq)
  item:add(f.ba_lifetime, buf(off + 5, 4))
  item:add(f.ba_refresh, buf(off + 9, 4))
  subopts(buf, off + 13, last, item, dialect)
  return string.format("Binding Acknowledgement seq=%d status=%d life=%s refresh=%s", seq:uint(),
    status:uint(), seconds(buf(off + 5, 4):uint()), seconds(buf(off + 9, 4):uint()))
end

local function binding_request(buf, off, last, item, dialect)
  subopts(buf, off + 2, last, item, dialect)
  return "Binding Request"
end

local mobility = { [OPT_BU] = binding_update, [OPT_BA] = binding_ack, [OPT_BR] = binding_request }

local function home_address(buf, off, last, item, dialect, pinfo)
  if last - off < 2 + ADDR_LEN then
    item:add_proto_expert_info(ef_length)
    return
  end
  local addr = buf(off + 2, ADDR_LEN)
  item:add(f.hoa, addr)
  subopts(buf, off + 2 + ADDR_LEN, last, item, dialect)
  pinfo.src = addr:ipv6() -- what upper-layer checksums and conversations go by
end

local function option(buf, kind, off, size, tree, pinfo, texts)
  local dialect = kame.prefs.dialect
  local range = buf(off, size)
  local item = tree:add(kame, range, option_names[kind] or string.format("Option 0x%02x", kind))
  item:add(f.opt_type, range(0, 1))
  if size == 1 then return end
  item:add(f.opt_len, range(1, 1))
  local see = mobility[kind]
  if see then
    local text = see(buf, off, off + size, item, dialect)
    if text then
      item:set_text(text)
      texts[#texts + 1] = text
    else
      item:add_proto_expert_info(ef_length, "Too short for its fixed part")
    end
  elseif kind == OPT_HAO then
    home_address(buf, off, off + size, item, dialect, pinfo)
  elseif size > 2 then
    item:add(f.opt_data, range(2, size - 2))
  end
end

-- Destination Options header

local dstopts = Proto("kame_mip6_dstopts", "Destination Options for IPv6 (Mobile IPv6 draft)")

local function has_mobility(buf, last)
  local found = false
  walk(buf, 2, last, function(kind) found = found or mobility[kind] ~= nil end)
  return found
end

local function upper_layer(buf, size, nxt, pinfo, tree)
  if nxt == PROTO_NONE or buf:captured_len() <= size then return false end
  local rest = buf(size):tvb()
  hand_over(by_proto:get_dissector(nxt) or data, rest, pinfo, tree)
  return true
end

function dstopts.dissector(buf, pinfo, tree)
  local captured = buf:captured_len()
  if captured < 2 then return hand_over(builtin_dstopts, buf, pinfo, tree) end
  local size = (buf(1, 1):uint() + 1) * 8
  local last = math.min(size, captured)
  if not has_mobility(buf, last) then return hand_over(builtin_dstopts, buf, pinfo, tree) end

  local nxt = buf(0, 1):uint()
  local head = tree:add(kame, buf(0, last), "Destination Options for IPv6 (Mobile IPv6 draft-"
    .. kame.prefs.dialect .. ")")
  head:add(f.nxt, buf(0, 1))
  head:add(f.hdrlen, buf(1, 1))
  local texts = {}
  local fits = walk(buf, 2, last, function(kind, off, len)
    option(buf, kind, off, len, head, pinfo, texts)
  end)
  if last < size then
    head:add_proto_expert_info(buf:reported_len() < size and ef_length or ef_cut)
  elseif not fits then
    head:add_proto_expert_info(ef_length, "An option runs over the header")
  end
  local text = table.concat(texts, ", ")
  if upper_layer(buf, size, nxt, pinfo, tree) then
    if text ~= "" then pinfo.cols.info:prepend(text .. ", ") end
  else
    pinfo.cols.protocol:set("MIPv6")
    pinfo.cols.info:set(text)
  end
  return captured
end

-- ICMPv6

local icmp = Proto("kame_mip6_icmp", "ICMPv6 (Mobile IPv6 draft)")

-- Octets of the newest field among these that shows the given address.
local function octets_of(address, ...)
  for _, extract in ipairs({ ... }) do
    local all = { extract() }
    for i = #all, 1, -1 do
      if all[i].value == address then return all[i].range end
    end
  end
  return nil
end

-- Addresses of the pseudo-header: packet-wide they are the home address, not the care-of address,
-- and the last stop of a routing header (RFC 2460 s.8.1, draft-15 s.8.1).
local function pseudo_addresses(pinfo)
  return octets_of(pinfo.src, field_src, field_hao, field_own_hao),
    octets_of(pinfo.dst, field_dst, field_rh, field_rh2)
end

local function add_up(sum, range)
  local size = range:len()
  for i = 0, size - 2, 2 do sum = sum + range(i, 2):uint() end
  if size % 2 == 1 then sum = sum + range(size - 1, 1):uint() * 256 end
  return sum
end

local function checksum(buf, pinfo, item)
  local cksum = item:add(f.icmp_cksum, buf(2, 2))
  local status = 2
  local src, dst = pseudo_addresses(pinfo)
  if src and dst and buf:captured_len() == buf:reported_len() then
    local sum = add_up(add_up(add_up(buf:len() + PROTO_ICMPV6, src), dst), buf())
    while sum > 0xffff do sum = sum % 0x10000 + math.floor(sum / 0x10000) end
    status = sum == 0xffff and 1 or 0
  end
  item:add(f.icmp_cksum_status, buf(2, 2), status):set_generated()
  if status == 0 then cksum:add_proto_expert_info(ef_cksum) end
end

local function nd_prefix(item, range)
  item:add(f.nd_plen, range(2, 1))
  local flags = item:add(f.nd_flags, range(3, 1))
  flags:add(f.nd_l, range(3, 1))
  flags:add(f.nd_a, range(3, 1))
  flags:add(f.nd_r, range(3, 1))
  item:add(f.nd_valid, range(4, 4))
  item:add(f.nd_preferred, range(8, 4))
  item:add(f.nd_prefix, range(16, ADDR_LEN))
end

local function nd_option(item, range)
  local kind, size = range(0, 1):uint(), range:len()
  item:add(f.nd_type, range(0, 1))
  item:add(f.nd_len, range(1, 1))
  if kind == 1 then
    item:add(f.nd_mac, range(2, size - 2))
  elseif kind == 3 and size == 32 then
    nd_prefix(item, range)
  elseif kind == 7 and size == 8 then
    item:add(f.nd_interval, range(4, 4))
  elseif kind == 8 and size == 8 then
    item:add(f.nd_ha_pref, range(4, 2))
    item:add(f.nd_ha_life, range(6, 2))
  else
    item:add(f.nd_data, range(2, size - 2))
  end
end

local function nd_options(buf, off, item)
  local last = buf:captured_len()
  while off < last do
    local size = off + 2 <= last and buf(off + 1, 1):uint() * 8 or 0
    if size == 0 or off + size > last then
      item:add_proto_expert_info(ef_length, "A Neighbor Discovery option does not fit")
      return
    end
    local range = buf(off, size)
    local kind = range(0, 1):uint()
    nd_option(item:add(kame, range, nd_names[kind] or ("Option " .. kind)), range)
    off = off + size
  end
end

local function dhaad_request(buf, item)
  item:add(f.dhaad_id, buf(4, 2))
  if buf:captured_len() >= 32 then -- the home address of draft-13
    item:add(f.icmp_reserved, buf(6, 10))
    item:add(f.dhaad_hoa, buf(16, ADDR_LEN))
  else
    item:add(f.icmp_reserved, buf(6, 2))
  end
  return string.format(" id=0x%04x", buf(4, 2):uint())
end

local function dhaad_reply(buf, item)
  item:add(f.dhaad_id, buf(4, 2))
  item:add(f.icmp_reserved, buf(6, 10))
  local count, off, last = 0, 16, buf:captured_len()
  while off + ADDR_LEN <= last do
    item:add(f.dhaad_addr, buf(off, ADDR_LEN))
    count = count + 1
    off = off + ADDR_LEN
  end
  if off ~= last then item:add_proto_expert_info(ef_length, "Part of an address") end
  return string.format(" id=0x%04x addresses=%d", buf(4, 2):uint(), count)
end

local function prefix_solicitation(buf, item)
  item:add(f.icmp_reserved, buf(4, 4))
  return ""
end

local function prefix_advertisement(buf, item)
  nd_options(buf, 4, item)
  return ""
end

local messages = {
  [150] = dhaad_request, [151] = dhaad_reply,
  [152] = prefix_solicitation, [153] = prefix_advertisement,
}

local function is_ours(buf)
  if buf:captured_len() < 4 then return false end
  local least = icmp_least[buf(0, 1):uint()]
  return least ~= nil and buf(1, 1):uint() == 0 and buf:captured_len() >= least
end

function icmp.dissector(buf, pinfo, tree)
  if not is_ours(buf) then return hand_over(builtin_icmpv6, buf, pinfo, tree) end
  local kind = buf(0, 1):uint()
  local item = tree:add(kame, buf(), "ICMPv6 (Mobile IPv6 draft): " .. icmp_names[kind])
  item:add(f.icmp_type, buf(0, 1))
  item:add(f.icmp_code, buf(1, 1))
  checksum(buf, pinfo, item)
  local text = icmp_names[kind] .. messages[kind](buf, item)
  pinfo.cols.protocol:set("ICMPv6")
  pinfo.cols.info:set(text)
  return buf:captured_len()
end

by_proto:add(PROTO_DSTOPTS, dstopts)
by_proto:add(PROTO_ICMPV6, icmp)
