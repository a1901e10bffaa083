#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

struct Damage {
    std::string file; ///< its kind: WAL, SST, MANIFEST, CURRENT, OPTIONS, IDENTITY, witness, all
    std::string what; ///< in words
};

/// Does one thing to a data directory that disks, people and file systems do to them: bits flipped,
/// a piece overwritten, cut short or longer, a file deleted, swapped with another, or an older one
/// of `older` put back. Which one depends on the seed and the files there alone.
Damage
damage(std::filesystem::path const& data, std::filesystem::path const& older, std::uint64_t seed);
