#include "http/password_input.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cpm::http {
namespace {

/// Characters, not bytes: what continues a UTF-8 sequence is not counted.
std::size_t characters(std::string_view text) {
    auto const begins = [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; };
    return static_cast<std::size_t>(std::ranges::count_if(text, begins));
}

} // namespace

std::string read_new_password(Fields& fields, std::string_view name) {
    if (!fields.require(name))
        return {};
    auto password = fields.text(name, kMaxPassword);
    if (password && characters(*password) < kLeastPassword)
        fields.fault(name, fmt::format("must be at least {} characters long", kLeastPassword));
    return std::move(password).value_or("");
}

} // namespace cpm::http
