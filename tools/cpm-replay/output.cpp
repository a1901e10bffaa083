#include "tools/cpm-replay/output.hpp"

#include "tools/cpm-replay/text_width.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
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
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
}

bool flush_output() {
    return std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
}

Cell status_cell(core::ActualStatus status) {
    return {std::string(to_string(status)), tone_of(status)};
}

Table::Table(std::vector<std::string> titles, Screen screen)
    : screen_(screen)
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
        text +=
            screen_.color ? std::string(kBold) + line(titles_) + std::string(kEnd) : line(titles_);
    if (!titled_)
        text += '\n';
    titled_ = true;
    for (auto const& cells : waiting_)
        text += line(cells) + '\n';
    waiting_.clear();
    return write(text);
}

void Table::widen(std::vector<Cell> const& cells) {
    for (std::size_t i = 0; i < widths_.size(); ++i) {
        auto const width = text_width(cells[i].text);
        widths_[i] =
            std::max(widths_[i], screen_.width ? std::min(width, kWidestOnTerminal) : width);
    }
}

std::string Table::line(std::vector<Cell> const& cells) const {
    std::string text;
    std::size_t used = 0;
    auto const limit = screen_.width ? screen_.width : std::string::npos;
    for (std::size_t i = 0; i < cells.size() && used < limit; ++i) {
        bool const last = i + 1 == cells.size();
        auto const room = std::min(last ? std::string::npos : widths_[i], limit - used);
        auto const shown = fit(cells[i].text, room);
        auto const width = text_width(shown);
        auto const escape = screen_.color ? escape_of(cells[i].tone) : std::string_view();
        text += escape;
        text += shown;
        text += escape.empty() ? std::string_view() : kEnd;
        used += width;
        if (last)
            break;
        auto const padding =
            std::min(widths_[i] - std::min(width, widths_[i]) + kGap.size(), limit - used);
        text.append(padding, ' ');
        used += padding;
    }
    return text.substr(0, text.find_last_not_of(' ') + 1);
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
