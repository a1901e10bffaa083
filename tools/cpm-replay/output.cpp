#include "tools/cpm-replay/output.hpp"

#include "tools/cpm-replay/progress.hpp"
#include "tools/cpm-replay/text_width.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <sys/ioctl.h>
#include <unistd.h>

namespace cpm::replay {
namespace {

constexpr std::size_t kRowsAtOnce = 200;
constexpr std::string_view kGap = "  ";
/// A name may be 200 bytes long; on a terminal the columns after it matter more.
constexpr std::size_t kWidestOnTerminal = 28;
/// Less is too narrow for the last column, if it has more to say.
constexpr std::size_t kLeastOfLast = 24;
/// Of what goes on in the next line.
constexpr std::size_t kIndent = 4;
constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kEnd = "\x1b[0m";

std::string_view escape_of(Tone tone) {
    switch (tone) {
    case Tone::Plain: return "";
    case Tone::Good: return "\x1b[32m";
    case Tone::Quiet: return "\x1b[2m";
    case Tone::Busy: return "\x1b[36m";
    case Tone::Attention: return "\x1b[33m";
    case Tone::Bad: return "\x1b[31m";
    }
    return "";
}

Tone tone_of(core::ActualStatus status) {
    using enum core::ActualStatus;
    switch (status) {
    case On:
    case ManuallyOn: return Tone::Good;
    case Off: return Tone::Quiet;
    case Starting:
    case BeforeStopping:
    case Stopping: return Tone::Busy;
    case Unknown:
    case StartupDelayed:
    case ShutdownDelayed: return Tone::Attention;
    case Crashed: return Tone::Bad;
    }
    return Tone::Plain;
}

int first_error = 0;

bool noted(bool is_written) {
    if (!is_written && first_error == 0)
        first_error = errno;
    return is_written;
}

} // namespace

Screen standard_output(bool no_color) {
    if (isatty(STDOUT_FILENO) == 0)
        return {};
    winsize size{};
    Screen screen;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        screen.width = size.ws_col;
    auto const* terminal = std::getenv("TERM");
    screen.color = !no_color && terminal != nullptr && std::string_view(terminal) != "dumb";
    return screen;
}

bool write(std::string_view text) {
    hide_progress();
    return noted(std::fwrite(text.data(), 1, text.size(), stdout) == text.size());
}

bool flush_output() {
    return noted(std::fflush(stdout) == 0) && std::ferror(stdout) == 0;
}

int output_error() {
    return first_error == EPIPE ? 0 : first_error;
}

std::string counted(std::uint64_t count, std::string_view noun) {
    return std::to_string(count) + ' ' + std::string(noun) + (count == 1 ? "" : "s");
}

Cell status_cell(core::ActualStatus status) {
    return {std::string(to_string(status)), tone_of(status)};
}

Table::Table(std::vector<std::string> titles, Screen screen, Narrow narrow)
    : screen_(screen)
    , narrow_(narrow)
    , widths_(titles.size(), 0) {
    for (auto& title : titles)
        titles_.push_back({std::move(title)});
}

bool Table::row(std::vector<Cell> cells) {
    for (auto& cell : cells)
        cell.text = printable(cell.text);
    waiting_.push_back(std::move(cells));
    return waiting_.size() < kRowsAtOnce || flush();
}

bool Table::flush() {
    widen(titles_);
    for (auto const& cells : waiting_)
        widen(cells);
    std::string text;
    if (!titled_)
        text += screen_.color ? std::string(kBold) + lines(titles_) + std::string(kEnd)
                              : lines(titles_);
    titled_ = true;
    for (auto const& cells : waiting_)
        text += lines(cells);
    waiting_.clear();
    return write(text);
}

void Table::widen(std::vector<Cell> const& cells) {
    for (std::size_t i = 0; i < widths_.size(); ++i) {
        auto const width = text_width(cells[i].text);
        bool const last = i + 1 == widths_.size();
        widths_[i] = std::max(
            widths_[i], screen_.width && !last ? std::min(width, kWidestOnTerminal) : width
        );
    }
}

std::string Table::lines(std::vector<Cell> const& cells) const {
    if (screen_.width == 0 || narrow_ == Narrow::Cut)
        return one_line(cells);
    std::size_t begin = 0; // of the last column
    for (std::size_t i = 0; i + 1 < widths_.size(); ++i)
        begin += widths_[i] + kGap.size();
    bool const is_wide = begin + std::min(widths_.back(), kLeastOfLast) <= screen_.width;
    return is_wide ? with_last_wrapped(cells, begin) : stacked(cells);
}

/// The cell's text, as much of it as there is room for, in its colour.
std::string Table::shown(Cell const& cell, std::string_view text) const {
    auto const escape = screen_.color ? escape_of(cell.tone) : std::string_view();
    return std::string(escape).append(text).append(escape.empty() ? std::string_view() : kEnd);
}

std::string Table::one_line(std::vector<Cell> const& cells) const {
    std::string text;
    std::size_t used = 0;
    auto const limit = screen_.width ? screen_.width : std::string::npos;
    for (std::size_t i = 0; i < cells.size() && used < limit; ++i) {
        bool const last = i + 1 == cells.size();
        auto const room = std::min(last ? std::string::npos : widths_[i], limit - used);
        auto const part = fit(cells[i].text, room);
        text += shown(cells[i], part);
        used += text_width(part);
        if (last)
            break;
        auto const padding = std::min(
            widths_[i] - std::min(text_width(part), widths_[i]) + kGap.size(), limit - used
        );
        text.append(padding, ' ');
        used += padding;
    }
    return text.substr(0, text.find_last_not_of(' ') + 1) + '\n';
}

/// In columns; the last one's text goes on below its beginning.
std::string Table::with_last_wrapped(std::vector<Cell> const& cells, std::size_t begin) const {
    auto first = cells;
    auto const parts = wrap(cells.back().text, screen_.width - begin);
    first.back().text = parts.front();
    auto text = one_line(first);
    for (std::size_t i = 1; i < parts.size(); ++i)
        text += std::string(begin, ' ') +
                shown(cells.back(), fit(parts[i], screen_.width - begin)) + '\n';
    return text;
}

/// As many columns as fit in the first line, the other cells one after the other below it.
std::string Table::stacked(std::vector<Cell> const& cells) const {
    std::size_t columns = 0;
    for (std::size_t used = 0; columns < cells.size(); ++columns) {
        used += widths_[columns] + kGap.size();
        if (columns > 0 && used - kGap.size() > screen_.width)
            break;
    }
    auto text = one_line({cells.begin(), cells.begin() + std::ptrdiff_t(columns)});
    auto const room = screen_.width > kIndent ? screen_.width - kIndent : screen_.width;
    std::size_t used = 0;
    for (auto i = columns; i < cells.size(); ++i)
        for (auto const& line : wrap(cells[i].text, room)) {
            auto const part = fit(line, room);
            auto const width = text_width(part);
            if (width == 0)
                continue;
            bool const fits = used > 0 && used + kGap.size() + width <= room;
            text += fits ? std::string(kGap) : (used > 0 ? "\n" : "") + std::string(kIndent, ' ');
            text += shown(cells[i], part);
            used = width + (fits ? used + kGap.size() : 0);
        }
    return text + (used > 0 ? "\n" : "");
}

bool JsonRows::row(boost::json::object const& object) {
    auto const text = boost::json::serialize(object);
    if (output_ == Output::Ndjson)
        return write(text + '\n');
    auto const begin = any_ ? std::string_view(",\n") : std::string_view("[\n");
    any_ = true;
    return write(begin) && write(text);
}

bool JsonRows::end() {
    if (output_ == Output::Ndjson)
        return true;
    return write(any_ ? "\n]\n" : "[]\n");
}

} // namespace cpm::replay
