# The CPU kernels with their tests and nothing else: needs no library but GoogleTest, whose sources (Debian: googletest) are
# compiled for the same processor.
find_package(Threads REQUIRED)
enable_testing()
set(INSTALL_GTEST OFF)
add_subdirectory(/usr/src/googletest ${CMAKE_BINARY_DIR}/googletest EXCLUDE_FROM_ALL)
prismvid_library(core SOURCES src/core/cpu.cpp src/core/error.cpp PUBLIC Threads::Threads)
add_library(prismvid_test_support INTERFACE)
target_include_directories(prismvid_test_support INTERFACE ${PROJECT_SOURCE_DIR}/tests)
add_subdirectory(src/nn/kernels)
add_subdirectory(tests/nn/kernels)
