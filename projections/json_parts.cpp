#include "projections/json_parts.hpp"

namespace cpm::projections {

namespace json = boost::json;

json::value text_or_null(std::string_view text) {
    if (text.empty())
        return nullptr;
    return json::string(text);
}

json::value time_or_null(std::optional<core::WallTime> const& time) {
    if (!time)
        return nullptr;
    return json::string(core::to_rfc3339(*time));
}

json::value seconds_or_null(std::optional<core::seconds> const& duration) {
    if (!duration)
        return nullptr;
    return duration->count();
}

json::value to_json(core::Sequence sequence) {
    if (!sequence)
        return nullptr;
    return sequence.value;
}

json::array to_json(std::vector<core::MacAddress> const& macs) {
    json::array array;
    array.reserve(macs.size());
    for (auto const& mac : macs)
        array.emplace_back(core::to_string(mac));
    return array;
}

json::array to_json(std::vector<std::string> const& texts) {
    json::array array;
    array.reserve(texts.size());
    for (auto const& text : texts)
        array.emplace_back(text);
    return array;
}

json::object to_json(core::Actor const& actor) {
    return {{"kind", core::to_string(actor.kind)}, {"name", actor.name}};
}

json::value to_json(std::optional<core::BootIdentity> const& identity) {
    if (!identity)
        return nullptr;
    return json::object{
        {"boot_id", core::to_string(identity->boot_id)}, {"resume_count", identity->resume_count}};
}

} // namespace cpm::projections
