#include "tools/cpm-replay/keyboard.hpp"

#include "tools/cpm-replay/interruption.hpp"

#include <cerrno>
#include <csignal>
#include <optional>
#include <poll.h>
#include <unistd.h>

namespace cpm::replay {
namespace {

constexpr int kEscapeMilliseconds = 100;

extern "C" void on_resize(int) {} // only ends the read

/// One byte; none when a signal came or the input ended.
std::optional<char> read_byte() {
    char byte = 0;
    return ::read(STDIN_FILENO, &byte, 1) == 1 ? std::optional(byte) : std::nullopt;
}

/// What follows ESC at once belongs to it: an arrow, Home, End.
Key read_escape() {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (poll(&input, 1, kEscapeMilliseconds) <= 0)
        return Key::Quit; // ESC alone
    auto const bracket = read_byte();
    if (bracket != '[' && bracket != 'O')
        return Key::Other;
    switch (read_byte().value_or(0)) {
    case 'A': // up
    case 'D': return Key::Previous;
    case 'B': // down
    case 'C': return Key::Next;
    case 'H': return Key::First;
    case 'F': return Key::Last;
    case '5': // page up
        read_byte();
        return Key::PreviousChange;
    case '6': // page down
        read_byte();
        return Key::NextChange;
    }
    return Key::Other;
}

} // namespace

bool Keyboard::is_there() {
    return isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0;
}

Keyboard::Keyboard() {
    tcgetattr(STDIN_FILENO, &before_);
    auto raw = before_;
    raw.c_lflag &= tcflag_t(~(ICANON | ECHO));
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    raw.c_cc[VSUSP] = _POSIX_VDISABLE; // stopped, it would leave the terminal like this
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
    struct sigaction action {};
    action.sa_handler = on_resize;
    sigaction(SIGWINCH, &action, nullptr);
}

Keyboard::~Keyboard() {
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
}

Key Keyboard::read() {
    char byte = 0;
    auto const got = ::read(STDIN_FILENO, &byte, 1);
    if (stop_requested())
        return Key::Quit;
    if (got < 0 && errno == EINTR)
        return Key::Redraw;
    if (got <= 0)
        return Key::Quit;
    switch (byte) {
    case 'n':
    case 'j':
    case 'l':
    case ' ':
    case '\n': return Key::Next;
    case 'p':
    case 'k':
    case 'h':
    case 'b':
    case '\x7f': return Key::Previous;
    case ']': return Key::NextChange;
    case '[': return Key::PreviousChange;
    case 'g': return Key::First;
    case 'G': return Key::Last;
    case 'q':
    case '\x04': return Key::Quit;
    case '\x1b': return read_escape();
    }
    return Key::Other;
}

} // namespace cpm::replay
