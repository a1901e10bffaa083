// The records' bytes (event log 2.2): what was written once is read for good, and nothing else gets
// through.
#include "eventstore/codec.hpp"
#include "tests/eventstore/events.hpp"

#include <doctest/doctest.h>
#include <flatbuffers/flatbuffers.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <random>

using namespace cpm::core;
using namespace cpm::eventstore;

namespace {

using Bytes = std::vector<std::uint8_t>;

// 0, 1, 2, … 31: what the golden records follow.
Hash golden_previous() {
    Hash hash{};
    for (std::size_t i = 0; i < hash.size(); ++i)
        hash[i] = std::uint8_t(i);
    return hash;
}

std::string hex(Bytes const& bytes) {
    std::string text;
    for (auto const byte : bytes) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

Bytes unhex(std::string const& text) {
    Bytes bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
        bytes.push_back(std::uint8_t(std::stoi(text.substr(i, 2), nullptr, 16)));
    return bytes;
}

std::map<std::string, std::string> golden_records() {
    std::ifstream file(CPM_SOURCE_DIR "/tests/eventstore/golden/records.txt");
    std::map<std::string, std::string> records;
    for (std::string type, bytes; file >> type >> bytes;)
        records[type] = bytes;
    return records;
}

Bytes record_of(Payload payload) {
    auto event = simple_event(1);
    event.payload = std::move(payload);
    return encode(event, golden_previous()).value();
}

std::string why_refused(Bytes const& bytes) {
    auto const record = decode(bytes);
    if (record)
        return "";
    CHECK(record.error().code == ErrorCode::Corrupt);
    return record.error().detail;
}

// The records below are put together by hand, because no encoder would write them. A table's field
// `id` has this key.
constexpr flatbuffers::voffset_t field(int id) {
    return flatbuffers::voffset_t(4 + 2 * id);
}

struct RawHash {
    std::uint8_t bytes[32] = {};
};

// A record (schema/event.fbs) of union type `type` around a payload that was already written.
Bytes raw_record(
    flatbuffers::FlatBufferBuilder& builder, std::uint8_t type, flatbuffers::uoffset_t payload
) {
    RawHash const previous;
    auto const start = builder.StartTable();
    builder.AddElement<std::uint64_t>(field(0), 1, 0);
    builder.AddStruct(field(1), &previous);
    builder.AddElement<std::uint8_t>(field(9), type, 0);
    builder.AddOffset(field(10), flatbuffers::Offset<void>(payload));
    builder.Finish(flatbuffers::Offset<void>(builder.EndTable(start)), "CPM1");
    return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

} // namespace

TEST_CASE("codec: every type comes back with every field and what it follows (2.1)") {
    for (auto const& event : one_of_each()) {
        auto const bytes = encode(event, golden_previous());
        REQUIRE(bytes);
        auto const record = decode(*bytes);
        REQUIRE(record);
        CHECK_MESSAGE(record->event == event, type_name(event.payload));
        CHECK(record->previous == golden_previous());
    }
}

TEST_CASE("codec: an event with every optional part absent comes back without them") {
    for (Payload const& payload : std::vector<Payload>{
             ServerAdded{},
             AgentJoined{},
             PowerAdopted{},
             PowerWithdrawn{},
             OrderSent{},
             HeartbeatReceived{},
             ReportIgnored{},
             TokenCreated{},
             SettingsChanged{},
         }) {
        Event event{};
        event.payload = payload;
        auto const bytes = encode(event, Hash{});
        REQUIRE(bytes);
        auto const record = decode(*bytes);
        REQUIRE(record);
        CHECK_MESSAGE(record->event == event, type_name(payload));
    }
}

TEST_CASE("codec: absent and zero are two things") {
    HeartbeatReceived heartbeat;
    heartbeat.report = 0;
    heartbeat.identity = BootIdentity{};
    auto const record = decode(record_of(heartbeat)).value();
    auto const& read = std::get<HeartbeatReceived>(record.event.payload);
    CHECK(read.report == 0);
    CHECK(read.identity == BootIdentity{});
    TokenCreated token;
    token.expires_at = WallTime{};
    CHECK(std::get<TokenCreated>(decode(record_of(token))->event.payload).expires_at == WallTime{});
    ServerConfig config;
    config.missed_heartbeats = 0;
    config.standby_time = seconds(0);
    CHECK(
        std::get<ServerAdded>(decode(record_of(ServerAdded{config}))->event.payload).config ==
        config
    );
    auto event = simple_event(1);
    event.actual = ActualStatus::Unknown;
    CHECK(decode(encode(event, Hash{}).value())->event.actual == ActualStatus::Unknown);
}

TEST_CASE("codec: the golden records of every type are read and written as ever (2.2)") {
    auto const golden = golden_records();
    for (auto const& event : one_of_each()) {
        std::string const type(type_name(event.payload));
        auto const today = hex(encode(event, golden_previous()).value());
        auto const found = golden.find(type);
        if (found == golden.end()) {
            FAIL_CHECK("golden/records.txt lacks this line:\n", type, " ", today);
            continue;
        }
        auto const record = decode(unhex(found->second));
        REQUIRE_MESSAGE(record, type);
        CHECK_MESSAGE(record->event == event, type);
        CHECK_MESSAGE(record->previous == golden_previous(), type);
        CHECK_MESSAGE(found->second == today, type);
    }
    CHECK(golden.size() == 36);
}

TEST_CASE("codec: a record from before a field was there is read as today's event (2.2)") {
    // WakeSent as it was written before it had a relay: its vtable has places for five fields.
    auto const older = golden_records().at("WakeSent");
    std::string const five_places = "0e001c00"
                                    "1400"
                                    "0600"
                                    "0c00"
                                    "0500"
                                    "1000";
    REQUIRE(older.find(five_places) != older.npos);
    auto const record = decode(unhex(older));
    REQUIRE(record);
    auto const& wake = std::get<WakeSent>(record->event.payload);
    CHECK(wake.request == Sequence{47});
    CHECK(wake.way == "broadcast 192.0.2.255:9 on eth0");
    CHECK(wake.ok);
    CHECK(wake.detail == "sent");
    CHECK(wake.relay == ServerId{}); // the manager itself, as all were then
    // Today's record of the same wake by a relay has a sixth.
    auto relayed = wake;
    relayed.relay = ServerId{7};
    CHECK(hex(record_of(relayed)).find(five_places) == std::string::npos);
    CHECK(std::get<WakeSent>(decode(record_of(relayed))->event.payload).relay == ServerId{7});
}

TEST_CASE("codec: the relay of a wake comes back, too (2.1)") {
    WakeSent sent{{47}, {{2, 0, 0, 0, 0, 1}}, "relay", true, "", {0xfedcba9876543210}};
    CHECK(decode(record_of(sent))->event.payload == Payload{sent});
}

TEST_CASE("codec: every word of every enumeration comes back") {
    auto const same = [](Payload const& payload) {
        CHECK(decode(record_of(payload))->event.payload == payload);
    };
    for (int i = 0; i < 21; ++i)
        same(PowerRefused{PowerStatus::Off, ErrorCode(i)});
    for (int i = 0; i < 3; ++i)
        same(UserAdded{"u", Role(i)});
    for (int i = 0; i < 3; ++i)
        same(ReportIgnored{HeartbeatStatus(i), {}, {}, {}});
    for (int i = 0; i < 2; ++i)
        same(ReportIgnored{{}, {}, {}, IgnoredBecause(i)});
    for (int i = 0; i < 2; ++i)
        same(OrderSent{{}, {}, "", OrderWay(i)});
    for (int i = 0; i < 2; ++i)
        same(PowerRequested{PowerStatus(i), {}});
    for (int i = 0; i < 4; ++i) {
        HeartbeatReceived heartbeat;
        heartbeat.leaving = Leaving(i);
        same(heartbeat);
    }
    for (int i = 0; i < 3; ++i) {
        ServerConfig config;
        config.off_method = OffMethod(i);
        same(ServerAdded{config});
    }
    for (int i = 0; i < 2; ++i) {
        PowerWithdrawn withdrawn;
        withdrawn.restored = Request{};
        withdrawn.restored->standby = Standby(i);
        same(withdrawn);
    }
    for (int i = 0; i < 10; ++i) {
        auto event = simple_event(1);
        event.actual = ActualStatus(i);
        event.actor.kind = ActorKind(i % 5);
        CHECK(decode(encode(event, Hash{}).value())->event == event);
    }
}

TEST_CASE("codec: a record is read at any alignment, large ones too") {
    for (std::size_t const size : {0, 3000}) {
        auto event = simple_event(1);
        event.payload = ManagerStarted{std::string(size, 'v')};
        auto const bytes = encode(event, golden_previous()).value();
        for (std::size_t offset = 0; offset < 8; ++offset) {
            std::vector<std::uint64_t> room(bytes.size() / 8 + 3);
            auto* const at = reinterpret_cast<std::uint8_t*>(room.data()) + offset;
            std::memcpy(at, bytes.data(), bytes.size());
            auto const record = decode({at, bytes.size()});
            REQUIRE(record);
            CHECK(record->event == event);
        }
    }
}

TEST_CASE("codec: an unknown type or word is refused by its number") {
    flatbuffers::FlatBufferBuilder unknown;
    auto const empty = unknown.EndTable(unknown.StartTable());
    CHECK(why_refused(raw_record(unknown, 77, empty)) == "unknown event type 77");

    flatbuffers::FlatBufferBuilder none;
    auto const nothing = none.EndTable(none.StartTable());
    CHECK(why_refused(raw_record(none, 0, nothing)) != "");

    flatbuffers::FlatBufferBuilder power; // PowerRequested{target: 2}
    auto const start = power.StartTable();
    power.AddElement<std::uint8_t>(field(0), 2, 0);
    auto const requested = power.EndTable(start);
    CHECK(why_refused(raw_record(power, 10, requested)) == "unknown power status 2");

    flatbuffers::FlatBufferBuilder reason; // PowerRefused{reason: 200}
    auto const begin = reason.StartTable();
    reason.AddElement<std::uint8_t>(field(1), 200, 0);
    auto const refused = reason.EndTable(begin);
    CHECK(why_refused(raw_record(reason, 11, refused)) == "unknown reason 200");
}

TEST_CASE("codec: a negative duration is refused") {
    flatbuffers::FlatBufferBuilder builder; // PowerRequested{standby: -1}
    auto const start = builder.StartTable();
    builder.AddElement<std::int64_t>(field(1), -1, 0);
    auto const requested = builder.EndTable(start);
    CHECK(why_refused(raw_record(builder, 10, requested)) == "a duration of -1 s");
}

TEST_CASE("codec: a required part that is missing is refused") {
    for (std::uint8_t const type : {1, 2, 8, 18, 21, 22}) {
        flatbuffers::FlatBufferBuilder builder;
        auto const empty = builder.EndTable(builder.StartTable());
        CHECK_MESSAGE(why_refused(raw_record(builder, type, empty)) != "", "type ", type);
    }
}

TEST_CASE("codec: short, empty, foreign and oversized buffers are refused") {
    auto const good = record_of(ServerRemoved{});
    for (std::size_t size = 0; size < good.size(); ++size)
        CHECK(why_refused({good.begin(), good.begin() + std::ptrdiff_t(size)}) != "");
    auto foreign = good;
    foreign[4] = 'X'; // the file identifier
    CHECK(why_refused(foreign) != "");
    CHECK(
        why_refused(Bytes(160 * 1024, 0)) == "it has 163840 bytes; no record has more than 65536"
    );
    CHECK(why_refused(Bytes(64 * 1024, 0)) != "");
    CHECK(why_refused(Bytes(64 * 1024, 0xff)) != "");
}

TEST_CASE("codec: a hostile record is refused before it costs time or memory (2.2)") {
    using namespace std::chrono;
    auto const began = steady_clock::now();

    // 15,000 settings that are all the same table.
    flatbuffers::FlatBufferBuilder settings;
    auto const setting = settings.EndTable(settings.StartTable());
    std::vector<flatbuffers::Offset<void>> const same(15'000, flatbuffers::Offset<void>(setting));
    auto const settings_list = settings.CreateVector(same);
    auto const settings_start = settings.StartTable();
    settings.AddOffset(field(0), settings_list);
    auto const changed = settings.EndTable(settings_start);
    CHECK(why_refused(raw_record(settings, 33, changed)) != "");

    // 10,000 tags that are all the same text of 20,000 bytes: 200 MB when unfolded.
    flatbuffers::FlatBufferBuilder tags;
    auto const text = tags.CreateString(std::string(20'000, 't'));
    std::vector<flatbuffers::Offset<flatbuffers::String>> const texts(10'000, text);
    auto const tags_list = tags.CreateVector(texts);
    auto const config_start = tags.StartTable();
    tags.AddOffset(field(2), tags_list);
    auto const config = tags.EndTable(config_start);
    auto const added_start = tags.StartTable();
    tags.AddOffset(field(0), flatbuffers::Offset<void>(config));
    auto const added = tags.EndTable(added_start);
    CHECK(
        why_refused(raw_record(tags, 1, added)) == "its text unfolds to more than a record holds"
    );

    CHECK(steady_clock::now() - began < seconds(1));
}

TEST_CASE("codec: what would not be read back is not written") {
    SettingsChanged many;
    many.changes.resize(600, {"name", "value"});
    auto event = simple_event(1);
    event.payload = many;
    auto const refused = encode(event, Hash{});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::Validation);
    CHECK(refused.error().detail.starts_with("SettingsChanged: "));
    many.changes.resize(500);
    event.payload = many;
    CHECK(decode(encode(event, Hash{}).value())->event == event);
}

TEST_CASE("codec: flipped, cut and overwritten bytes never do more than fail or decode otherwise") {
    auto const seed = std::random_device{}();
    std::cout << "codec: seed " << seed << '\n';
    std::mt19937 random(seed);
    std::size_t refused = 0;
    std::size_t const rounds = 2000;
    for (auto const& event : one_of_each()) {
        auto const good = encode(event, golden_previous()).value();
        for (std::size_t i = 0; i < rounds; ++i) {
            auto bytes = good;
            auto const flips = 1 + random() % 8;
            for (std::size_t flip = 0; flip < flips; ++flip)
                bytes[random() % bytes.size()] ^= std::uint8_t(1u << random() % 8);
            if (random() % 4 == 0)
                bytes[random() % bytes.size()] = std::uint8_t(random());
            if (random() % 4 == 0)
                bytes.resize(random() % bytes.size());
            if (!decode(bytes))
                ++refused;
        }
    }
    CHECK(refused > 0);
    CHECK(refused < 36 * rounds);
}

TEST_CASE("codec: the worked example of docs/event-log.md is the golden PowerRequested (2.2)") {
    std::ifstream file(CPM_SOURCE_DIR "/docs/event-log.md");
    std::string example;
    bool inside = false;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("00  28 00 00 00"))
            inside = true;
        if (line == "```")
            inside = false;
        // "0e  1a 00 5c 00              what it is": an offset, at most 8 bytes, a text
        if (!inside || line.starts_with(' '))
            continue;
        for (char const digit : line.substr(4, 23))
            if (digit != ' ')
                example += digit;
    }
    CHECK(example == golden_records().at("PowerRequested"));
}
