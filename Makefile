# make demo | test | build | install | bench | format | clean: README.md says what each does.
.PHONY: demo test build install setup bench format clean
.DEFAULT_GOAL := build
PREFIX ?= /usr/local
JOBS ?= $(shell getconf _NPROCESSORS_ONLN)

setup:
	@tools/setup.sh run

build: setup
	@cmake --preset release -DPRISMVID_TESTS=OFF -DPRISMVID_BENCH=OFF >build/configure.log || { cat build/configure.log; exit 1; }
	@cmake --build --preset release -j $(JOBS) --target prismvid prismvid_api
	@echo "built build/release/prismvid"

install: build
	@cmake --install build/release --prefix $(PREFIX) >build/install.log || { cat build/install.log; exit 1; }
	@echo "installed $(PREFIX)/bin/prismvid and the library (docs/library.md)"

demo: build
	@tools/demo.sh

test:
	@tools/setup.sh test
	@cmake --preset release -DPRISMVID_TESTS=ON -DPRISMVID_BENCH=OFF
	@cmake --build --preset release -j $(JOBS)
	@ctest --preset release -j $(JOBS)

bench:
	@tools/setup.sh bench
	@bench/run.sh --update

format:
	@git ls-files '*.h' '*.cpp' '*.mm' | xargs clang-format -i

clean:
	rm -rf build
