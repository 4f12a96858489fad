#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "core/results.h"
#include "core/stage_output.h"
#include "pipeline/detector_stage.h"
#include "pipeline/kept_networks.h"
#include "pipeline/options.h"
#include "pipeline/plan.h"
#include "vision/shots/shot_detector.h"

// What each stage does, between the plan and the detectors of vision.
namespace prismvid::pipeline {

std::unique_ptr<vision::ShotDetector> make_shots(const StagePlan& plan, const AnalyzeOptions& options);

/// True for the stages that look at samples during the decode pass.
bool is_detector(const std::string& stage);

/// objects, faces or ocr, one of `side_by_side` that run at the same time and share the threads, with networks that `kept` may
/// have from the video before. Throws Error(kModel).
std::unique_ptr<DetectorStage> make_detector_stage(const StagePlan& plan, const vision::ModelRegistry& models,
                                                   const AnalyzeOptions& options, int side_by_side, KeptNetworks& kept);

/// Shots with their keyframe pictures, as loaded from the store.
StageOutput run_scenes(const std::vector<Shot>& shots);

/// labels and places: the classes of each keyframe.
StageOutput run_labels(const StagePlan& plan, const AnalyzeOptions& options, const std::vector<Shot>& shots);

StageOutput run_transcript(const std::filesystem::path& video, const std::optional<TimeRange>& range);

}  // namespace prismvid::pipeline
