// The tab with the facts of the file and what each stage did.
import { h } from '../app/dom.js';
import { t, term, number, bytes, date, duration } from '../app/words.js';
import { withCommands } from '../app/parts.js';

export function info({ document: { video, analysis, edits = [] } }) {
  const { picture } = video;
  const [frames, seconds] = picture.fps.split('/').map(Number);
  const facts = [
    ['info.name', video.name], ['info.duration', duration(video.duration)], ['info.size', bytes(video.bytes)],
    ['info.picture', `${picture.width} × ${picture.height}, ${picture.codec}`],
    ['info.rate', `${number(frames / seconds, 3)} ${t('info.perSecond')}${picture.vfr ? ` (${t('info.vfr')})` : ''}`], ['info.frames', number(picture.frames)],
    ['info.audio', video.audio.map(({ codec, channels, language }) => [codec, channels && `${channels}ch`, language].filter(Boolean).join(' ')).join(', ') || t('info.silent')],
    ['info.container', video.container], ['info.source', video.source?.uri], ['info.hash', video.sha256],
    ['info.analysed', date(analysis.finished_at ?? analysis.created_at)],
    ['info.took', analysis.wall_seconds !== undefined && `${duration(analysis.wall_seconds)}${analysis.realtime_factor ? ` · ${t('job.speed', { factor: number(analysis.realtime_factor, analysis.realtime_factor < 1 ? 2 : 1) })}` : ''}`],
    ['info.edits', edits.length ? number(edits.length) : null],
  ].filter(([, value]) => value);
  return {
    element: h('div.reading', {},
      h('dl.facts-list', {}, facts.flatMap(([label, value]) => [h('dt', {}, t(label)), h('dd', { class: label === 'info.hash' ? 'hash' : '' }, value)])),
      warnings(analysis.warnings),
      h('h3', {}, t('info.stages')), h('ul.stage-table', {}, analysis.stages.map(stageRow))),
  };
}

function stageRow(stage) {
  const speed = stage.ms_per_frame && t('info.msPerFrame', { p50: number(stage.ms_per_frame.p50, 1), p95: number(stage.ms_per_frame.p95, 1) });
  const tokens = stage.tokens_out > 0 && t('info.tokens', { in: number(stage.tokens_in ?? 0), out: number(stage.tokens_out) });
  return h('li', {}, h('div.stage-line', {}, h('span.dot', { class: stage.status, 'aria-hidden': 'true' }), h('strong', {}, term('stage', stage.name)), h('span.soft', {}, term('state', stage.status)),
    h('span.grow'), stage.wall_ms > 0 && h('span.number', {}, duration(stage.wall_ms / 1000))),
    h('div.soft.small', {}, [stage.model && [stage.model.id, stage.model.quant, stage.model.backend].filter(Boolean).join(' · '), speed, tokens].filter(Boolean).join(' · ')),
    stage.error && h('p.stage-error', {}, withCommands(stage.error.message)));
}

const warnings = (list) => list?.length > 0 && h('section.block', {}, h('h3', {}, t('info.warnings')), h('ul', {}, list.map(({ message }) => h('li', {}, message))));
