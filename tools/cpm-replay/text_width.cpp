#include "tools/cpm-replay/text_width.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <cwchar>
#include <locale.h>

namespace cpm::replay {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD"; // U+FFFD
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";    // U+2026

/// glibc's own tables, whatever the locale of the caller: C.UTF-8 is part of Debian's base system.
class Utf8Locale {
  public:
    Utf8Locale()
        : before_(uselocale(utf8())) {}
    ~Utf8Locale() { uselocale(before_); }
    Utf8Locale(Utf8Locale const&) = delete;
    Utf8Locale& operator=(Utf8Locale const&) = delete;

  private:
    static locale_t utf8() {
        static locale_t const locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", locale_t{});
        ASSERT(locale != locale_t{});
        return locale;
    }

    locale_t before_;
};

struct Character {
    std::string_view bytes; ///< what stands in the text
    int width = 0;          ///< -1: not printable
};

/// Takes the first character off a text that is not empty.
Character take(std::string_view& text) {
    wchar_t wide = 0;
    std::mbstate_t state{};
    auto const size = std::mbrtowc(&wide, text.data(), text.size(), &state);
    bool const broken = size == 0 || size > text.size();
    Character character{text.substr(0, broken ? 1 : size), broken ? -1 : wcwidth(wide)};
    text.remove_prefix(character.bytes.size());
    return character;
}

/// Nearly every text: a byte is a column.
bool is_plain(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

} // namespace

std::size_t text_width(std::string_view text) {
    if (is_plain(text))
        return text.size();
    Utf8Locale const utf8;
    std::size_t width = 0;
    while (!text.empty())
        width += static_cast<std::size_t>(std::max(take(text).width, 0));
    return width;
}

std::string fit(std::string_view text, std::size_t width) {
    if (text_width(text) <= width)
        return std::string(text);
    if (width == 0)
        return {};
    Utf8Locale const utf8;
    std::string kept;
    std::size_t used = 0;
    while (!text.empty()) {
        auto const character = take(text);
        used += static_cast<std::size_t>(std::max(character.width, 0));
        if (used > width - 1)
            break;
        kept += character.bytes;
    }
    return kept.append(kEllipsis);
}

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
    std::vector<std::string> lines(1);
    std::size_t used = 0;
    while (!text.empty()) {
        auto const word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(word.size() + 1, text.size()));
        auto const columns = text_width(word);
        bool const fits = width == 0 || used == 0 || used + 1 + columns <= width;
        if (!fits) {
            lines.emplace_back();
            used = 0;
        }
        lines.back() += (used == 0 ? "" : " ") + std::string(word);
        used += columns + (used == 0 ? 0 : 1);
    }
    return lines;
}

std::string printable(std::string_view text) {
    if (is_plain(text))
        return std::string(text);
    Utf8Locale const utf8;
    std::string clean;
    clean.reserve(text.size());
    while (!text.empty()) {
        auto const character = take(text);
        clean += character.width < 0 ? kReplacement : character.bytes;
    }
    return clean;
}

} // namespace cpm::replay
