#include "eventstore/side_files.hpp"

#include "core/hex.hpp"
#include "eventstore/durable_file.hpp"
#include "eventstore/hash.hpp"

#include <charconv>
#include <fstream>

namespace cpm::eventstore {
namespace {

// A cursor over lines of the form "word value".
class Lines {
  public:
    explicit Lines(std::string_view text)
        : rest_(text) {}

    /// The value of the next line, which must begin with `word`; none when it does not.
    std::optional<std::string_view> value(std::string_view word) {
        auto const end = rest_.find('\n');
        auto const line = rest_.substr(0, end);
        if (end == rest_.npos || !line.starts_with(word) || line.size() <= word.size() ||
            line[word.size()] != ' ')
            return std::nullopt;
        rest_.remove_prefix(end + 1);
        return line.substr(word.size() + 1);
    }

    std::optional<std::uint64_t> number(std::string_view word) {
        auto const text = value(word);
        if (!text)
            return std::nullopt;
        std::uint64_t number = 0;
        auto const [end, error] =
            std::from_chars(text->data(), text->data() + text->size(), number);
        if (error != std::errc() || end != text->data() + text->size())
            return std::nullopt;
        return number;
    }

    bool at_end() const { return rest_.empty(); }

  private:
    std::string_view rest_;
};

tl::unexpected<core::Error> unreadable(std::filesystem::path const& path) {
    return core::fail(
        core::ErrorCode::Corrupt,
        path.string() + " is damaged; restore the data directory from a backup"
    );
}

} // namespace

SideFiles::SideFiles(std::filesystem::path const& data)
    : log(data / "log")
    , witness(data / "head-witness")
    , list(data / "list-of-files")
    , unconfirmed(data / "unconfirmed-from")
    , rolled_back(data / "rolled-back") {}

core::Result<std::optional<Head>> read_witness(SideFiles const& files) {
    auto const content = read_file(files.witness);
    if (!content)
        return tl::make_unexpected(content.error());
    if (!*content)
        return std::nullopt;
    Lines lines(**content);
    auto const epoch = lines.number("epoch");
    auto const sequence = lines.number("sequence");
    auto const hex = lines.value("hash");
    auto const hash = hex ? core::parse_hash(*hex) : std::nullopt;
    if (!epoch || !sequence || !hash || !lines.at_end())
        return unreadable(files.witness);
    return Head{*epoch, {*sequence}, *hash};
}

core::Result<void> write_witness(SideFiles const& files, Head const& head) {
    return write_file_durably(
        files.witness,
        "epoch " + std::to_string(head.epoch) + "\nsequence " +
            std::to_string(head.sequence.value) + "\nhash " + core::to_hex(head.hash) + "\n"
    );
}

core::Result<std::optional<core::Sequence>> read_unconfirmed(SideFiles const& files) {
    auto const content = read_file(files.unconfirmed);
    if (!content)
        return tl::make_unexpected(content.error());
    if (!*content)
        return std::nullopt;
    Lines lines(**content);
    auto const sequence = lines.number("sequence");
    if (!sequence || !lines.at_end())
        return unreadable(files.unconfirmed);
    return core::Sequence{*sequence};
}

core::Result<void> write_unconfirmed(SideFiles const& files, core::Sequence from) {
    std::string const text = "sequence " + std::to_string(from.value) + "\n";
    auto written = write_file_durably(files.unconfirmed, text);
    // On a disk that syncs nothing any more the records are as uncertain as this note: while the
    // machine stays up the next start finds both.
    if (!written)
        std::ofstream(files.unconfirmed, std::ios::trunc) << text;
    return written;
}

core::Result<std::optional<RolledBack>> read_rolled_back(SideFiles const& files) {
    auto const content = read_file(files.rolled_back);
    if (!content)
        return tl::make_unexpected(content.error());
    if (!*content)
        return std::nullopt;
    Lines lines(**content);
    auto const epoch = lines.number("epoch");
    auto const why = lines.value("why");
    // Notes of earlier versions end here.
    auto const witnessed = lines.at_end() ? epoch : lines.number("witnessed");
    if (!epoch || !why || !witnessed || !lines.at_end())
        return unreadable(files.rolled_back);
    return RolledBack{*epoch, std::string(*why), *witnessed};
}

core::Result<void> write_rolled_back(SideFiles const& files, RolledBack const& note) {
    std::string line = note.why;
    for (char& c : line)
        if (c == '\n')
            c = ' ';
    return write_file_durably(
        files.rolled_back,
        "epoch " + std::to_string(note.epoch) + "\nwhy " + line + "\nwitnessed " +
            std::to_string(note.witnessed_epoch) + "\n"
    );
}

} // namespace cpm::eventstore
