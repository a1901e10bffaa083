#include "tests/eventstore/damage.hpp"

#include "tests/eventstore/rocksdb_files.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <vector>

namespace fs = std::filesystem;

namespace {

std::string kind_of(fs::path const& file) {
    auto const name = file.filename().string();
    if (name == "head-witness")
        return "witness";
    if (name == "list-of-files")
        return name;
    if (file.extension() == ".log")
        return "WAL";
    if (file.extension() == ".sst")
        return "SST";
    for (char const* kind : {"MANIFEST", "CURRENT", "OPTIONS", "IDENTITY"})
        if (name.starts_with(kind))
            return kind;
    return ""; // RocksDB's own messages and its lock
}

using Files = std::map<std::string, std::vector<fs::path>>;

Files files_of(fs::path const& data) {
    Files files;
    for (auto const& entry : fs::recursive_directory_iterator(data))
        if (entry.is_regular_file() && !kind_of(entry.path()).empty())
            files[kind_of(entry.path())].push_back(entry.path());
    for (auto& [kind, paths] : files)
        std::sort(paths.begin(), paths.end());
    return files;
}

class Vandal {
  public:
    Vandal(fs::path const& data, fs::path const& older, std::uint64_t seed)
        : data_(data)
        , older_(older)
        , random_(seed)
        , files_(files_of(data)) {
        // Any kind as likely as another, though there are many files of some.
        kind_ = std::next(files_.begin(), std::ptrdiff_t(below(files_.size())))->first;
        file_ = any_of(files_[kind_]);
    }

    Damage act() {
        using Act = std::string (Vandal::*)();
        constexpr std::array<Act, 13> kActs{
            &Vandal::flip,
            &Vandal::flip,
            &Vandal::flip,
            &Vandal::flip_several,
            &Vandal::overwrite,
            &Vandal::zero_sector,
            &Vandal::cut,
            &Vandal::cut,
            &Vandal::lengthen,
            &Vandal::remove,
            &Vandal::swap,
            &Vandal::put_back_file,
            &Vandal::put_back_all,
        };
        auto what = (this->*kActs[below(kActs.size())])();
        return {kind_, std::move(what)};
    }

  private:
    std::uint64_t below(std::uint64_t bound) { return bound ? random_() % bound : 0; }

    fs::path any_of(std::vector<fs::path> const& paths) { return paths[below(paths.size())]; }

    std::string name() const { return file_.filename().string(); }

    void flip_bit(std::string& bytes) {
        if (bytes.empty())
            return;
        auto const bit = below(8 * bytes.size());
        bytes[bit / 8] = char(bytes[bit / 8] ^ 1 << bit % 8);
        last_ = std::to_string(bit / 8);
    }

    std::string flip() {
        auto bytes = file_text(file_);
        flip_bit(bytes);
        set_file_text(file_, bytes);
        return "a bit of byte " + last_ + " of " + name() + " flipped";
    }

    std::string flip_several() {
        auto bytes = file_text(file_);
        auto const count = 2 + below(15);
        for (std::uint64_t i = 0; i < count; ++i)
            flip_bit(bytes);
        set_file_text(file_, bytes);
        return std::to_string(count) + " bits of " + name() + " flipped";
    }

    std::string overwrite() {
        auto bytes = file_text(file_);
        auto const from = below(bytes.size());
        auto const until = std::min<std::size_t>(bytes.size(), from + 1 + below(512));
        for (auto i = from; i < until; ++i)
            bytes[i] = char(below(256));
        set_file_text(file_, bytes);
        return "bytes " + std::to_string(from) + " to " + std::to_string(until) + " of " + name() +
               " overwritten";
    }

    std::string zero_sector() {
        auto bytes = file_text(file_);
        std::uint64_t const size = below(2) ? 512 : 4096;
        auto const from = below(bytes.size()) / size * size;
        auto const until = std::min<std::size_t>(bytes.size(), from + size);
        std::fill(bytes.begin() + long(from), bytes.begin() + long(until), '\0');
        set_file_text(file_, bytes);
        return std::to_string(size) + " bytes at " + std::to_string(from) + " of " + name() +
               " zeroed";
    }

    std::string cut() {
        auto const size = fs::file_size(file_);
        // Often only a little: the last entry of a list, the last record of a write-ahead log.
        auto const lost =
            below(2) ? 1 + below(std::min<std::uint64_t>(size, 300)) : below(size) + 1;
        fs::resize_file(file_, size - std::min<std::uint64_t>(size, lost));
        return name() + " cut by " + std::to_string(lost) + " bytes";
    }

    std::string lengthen() {
        auto bytes = file_text(file_);
        auto const more = 1 + below(5000);
        bool const zeros = below(2);
        for (std::uint64_t i = 0; i < more; ++i)
            bytes += zeros ? '\0' : char(below(256));
        set_file_text(file_, bytes);
        return std::to_string(more) + (zeros ? " zeros" : " bytes of noise") + " behind " + name();
    }

    std::string remove() {
        fs::remove(file_);
        return name() + " deleted";
    }

    std::string swap() {
        auto const& same = files_[kind_];
        auto const other =
            same.size() > 1 && below(4)
                ? any_of(same)
                : any_of(std::next(files_.begin(), long(below(files_.size())))->second);
        auto const ours = file_text(file_);
        set_file_text(file_, file_text(other));
        set_file_text(other, ours);
        return name() + " and " + other.filename().string() + " swapped";
    }

    std::string put_back_file() {
        auto const older = files_of(older_);
        auto const found = older.find(kind_);
        if (found == older.end())
            return remove();
        auto const from = any_of(found->second);
        // In its own place, or in that of the one that took over.
        auto const to = below(2) ? file_ : file_.parent_path() / from.filename();
        set_file_text(to, file_text(from));
        return "an older " + from.filename().string() + " put back as " + to.filename().string();
    }

    // The witness stays: it lies elsewhere. That both are older only an agent's witness can tell.
    std::string put_back_all() {
        kind_ = "all";
        bool const instead = below(2);
        if (instead)
            fs::remove_all(data_ / "log");
        fs::copy(
            older_ / "log",
            data_ / "log",
            fs::copy_options::recursive | fs::copy_options::overwrite_existing
        );
        return instead ? "an older database put back" : "an older database copied over this one";
    }

    fs::path const data_;
    fs::path const older_;
    std::mt19937_64 random_;
    Files files_;
    std::string kind_;
    fs::path file_;
    std::string last_ = "0";
};

} // namespace

Damage damage(fs::path const& data, fs::path const& older, std::uint64_t seed) {
    return Vandal(data, older, seed).act();
}
