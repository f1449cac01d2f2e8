//! A picture of the figures, in SVG: for each script a group of bars, on a logarithmic scale.

use std::fmt::Write;

use crate::{
    measure::{Crowd, PACED, System, closed},
    report::Report,
    scripts,
    stats::float,
};

const WIDTH: f64 = 900.0;
const PANEL: f64 = 300.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 40.0;

/// One kind of bar: its name, its colour, and where its figure is.
struct Bar {
    name: &'static str,
    colour: &'static str,
    system: System,
    crowd: Crowd,
}

struct Panel {
    title: &'static str,
    bars: [Bar; 3],
    value: fn(&crate::report::Figures) -> f64,
}

const fn bar(name: &'static str, colour: &'static str, system: System, crowd: Crowd) -> Bar {
    Bar {
        name,
        colour,
        system,
        crowd,
    }
}

const GREY: &str = "#8a8f98";
const BLUE: &str = "#1f77b4";
const ORANGE: &str = "#d2691e";

const PANELS: [Panel; 2] = [
    Panel {
        title: "p50 in ms, 1 client (lower is better)",
        bars: [
            bar("bare fork", GREY, System::Bare, PACED),
            bar("warm engine", BLUE, System::Warm, PACED),
            bar("cold engine", ORANGE, System::Cold, closed(1)),
        ],
        value: |figures| figures.p50_ms,
    },
    Panel {
        title: "runs per second, 8 clients (higher is better)",
        bars: [
            bar("bare fork, 2 loops", GREY, System::Bare, closed(2)),
            bar("warm engine", BLUE, System::Warm, closed(8)),
            bar("cold engine", ORANGE, System::Cold, closed(8)),
        ],
        value: |figures| figures.runs_per_s,
    },
];

/// Draws the report.
pub fn draw(report: &Report) -> String {
    let height = PANEL * float(PANELS.len());
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (index, panel) in PANELS.iter().enumerate() {
        let _ = writeln!(
            svg,
            "<g transform=\"translate(0 {})\">",
            PANEL * float(index)
        );
        panel.draw(&mut svg, report);
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

impl Panel {
    fn draw(&self, svg: &mut String, report: &Report) {
        let of = |bar: &Bar, script| {
            report
                .find(bar.system, script, bar.crowd)
                .map(|figures| (self.value)(figures))
        };
        let all = scripts::ALL
            .iter()
            .flat_map(|script| self.bars.iter().filter_map(|bar| of(bar, script.name)));
        let (least, greatest) = all.fold(
            (f64::INFINITY, 1e-3_f64),
            |(least, greatest), value: f64| (least.min(value), greatest.max(value)),
        );
        let scale = Scale::new(least.min(greatest), greatest);
        self.frame(svg, &scale);
        let group = (WIDTH - LEFT - 20.0) / float(scripts::ALL.len());
        for (index, script) in scripts::ALL.iter().enumerate() {
            let x = LEFT + group * float(index);
            let middle = x + group / 2.0;
            text(svg, middle, PANEL - BOTTOM + 18.0, "middle", script.name);
            for (place, bar) in self.bars.iter().enumerate() {
                if let Some(value) = of(bar, script.name) {
                    let x = x + group * (0.12 + 0.26 * float(place));
                    column(svg, x, group * 0.22, scale.y(value), bar.colour);
                    text(
                        svg,
                        x + group * 0.11,
                        scale.y(value) - 4.0,
                        "middle",
                        &short(value),
                    );
                }
            }
        }
    }

    fn frame(&self, svg: &mut String, scale: &Scale) {
        text(svg, LEFT, 18.0, "start", self.title);
        for (index, bar) in self.bars.iter().enumerate() {
            let x = LEFT + 400.0 + 140.0 * float(index);
            column_at(svg, x, 9.0, 10.0, 10.0, bar.colour);
            text(svg, x + 15.0, 18.0, "start", bar.name);
        }
        let mut line = scale.low;
        while line <= scale.high * 1.001 {
            let y = scale.y(line);
            let right = WIDTH - 20.0;
            let _ = writeln!(
                svg,
                "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\" stroke=\"#ddd\"/>"
            );
            text(svg, LEFT - 8.0, y + 4.0, "end", &short(line));
            line *= 10.0;
        }
    }
}

/// A logarithmic scale between powers of ten.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    fn new(least: f64, greatest: f64) -> Self {
        let low = 10_f64.powf(least.log10().floor());
        Self {
            low,
            high: 10_f64.powf(greatest.log10().ceil()).max(low * 10.0),
        }
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value / self.low).log10() / (self.high / self.low).log10();
        PANEL - BOTTOM - share * (PANEL - BOTTOM - TOP)
    }
}

fn column(svg: &mut String, x: f64, width: f64, y: f64, colour: &str) {
    column_at(svg, x, y, width, (PANEL - BOTTOM - y).max(1.0), colour);
}

fn column_at(svg: &mut String, x: f64, y: f64, width: f64, height: f64, colour: &str) {
    let _ = writeln!(
        svg,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{colour}\"/>"
    );
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
    );
}

fn short(value: f64) -> String {
    match value {
        v if v < 10.0 => format!("{v:.2}"),
        v if v < 100.0 => format!("{v:.1}"),
        v => format!("{v:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_ends_at_powers_of_ten() {
        let scale = Scale::new(0.3, 420.0);
        assert!((scale.y(0.1) - (PANEL - BOTTOM)).abs() < 1e-6);
        assert!((scale.y(1000.0) - TOP).abs() < 1e-6);
    }
}
