#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "core/sha256.h"

namespace prismvid::vision {

/// A fresh folder for one test, removed at its end.
class ModelFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::temp_directory_path() /
              (std::string("prismvid-") + info->test_suite_name() + "-" + info->name() + "-" +
               std::to_string(getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static void write(const std::filesystem::path& file, const std::string& text) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
  }

  static std::string read(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
  }

  static nlohmann::json manifest(const std::string& id, const std::string& content) {
    return {{"schema", "prismvid.model/1"},
            {"id", id},
            {"task", "object_detection"},
            {"version", "1"},
            {"licence", "MIT"},
            {"source", "test"},
            {"files", {{{"name", "model.onnx"}, {"sha256", sha256_hex(content)}}}},
            {"parameters", {{"decoder", "yolox"}}}};
  }

  /// A model of one file in `where`/`id`.
  static std::filesystem::path make_model(const std::filesystem::path& where, const std::string& id,
                                          const std::string& content = "weights") {
    write(where / id / "model.onnx", content);
    write(where / id / "manifest.json", manifest(id, content).dump());
    return where / id;
  }

  std::filesystem::path folder_;
};

}  // namespace prismvid::vision
