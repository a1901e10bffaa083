#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cpm::replay {

/// How many columns of a terminal a UTF-8 text fills: 2 for an East Asian wide character, 0 for a
/// combining mark.
std::size_t text_width(std::string_view text);

/// The text cut to at most `width` columns, with "…" in place of what was cut.
std::string fit(std::string_view text, std::size_t width);

/// The text in lines of at most `width` columns, broken at spaces where there are any; 0: one line.
std::vector<std::string> wrap(std::string_view text, std::size_t width);

/// What may go to a terminal: control characters and broken UTF-8 become "�", because names and
/// reports come from people and agents and could steer the terminal.
std::string printable(std::string_view text);

} // namespace cpm::replay
