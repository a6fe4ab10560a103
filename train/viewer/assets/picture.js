"use strict";
// The scan and its masks in NiiVue: windows, planes, crosshair, and which structures are seen.

const PLANES = [
  { id: "all", name: "All", key: "m" },
  { id: "axial", name: "Axial", key: "a" },
  { id: "coronal", name: "Coronal", key: "c" },
  { id: "sagittal", name: "Sagittal", key: "s" },
  { id: "render", name: "3-D", key: "d" },
];
// Which axis of R, A, S each plane is scrolled along, and the letters at its left, right, upper and lower edge.
const AXES = { sagittal: 0, coronal: 1, axial: 2 };
const EDGES = { sagittal: "APSI", coronal: "RLSI", axial: "RLAP" };

class Picture {
  constructor(content, onMove, onWindow) {
    this.content = content;
    this.scrolled = "axial";
    this.plane = "all";
    this.onWindow = onWindow;
    this.nv = new niivue.Niivue({
      backColor: [0, 0, 0, 1], crosshairColor: [0.95, 0.8, 0.2, 0.6], crosshairWidth: 1, crosshairWidthUnit: "mm", crosshairGap: 12, fontColor: [0.35, 0.65, 1, 1],
      isRadiologicalConvention: true, sagittalNoseLeft: true, isSliceMM: false, showAllOrientationMarkers: true, multiplanarShowRender: 1,
      multiplanarPadPixels: 4, tileMargin: -1, dragAndDropEnabled: false, isColorbar: false, showLegend: false, logLevel: "error", isAntiAlias: true,
      clipPlaneHotKey: "", cycleClipPlaneHotKey: "", viewModeHotKey: "", isNearestInterpolation: false, loadingText: "",
      mouseEventConfig: { leftButton: { primary: niivue.DRAG_MODE.crosshair }, rightButton: niivue.DRAG_MODE.windowing, centerButton: niivue.DRAG_MODE.pan },
    });
    this.nv.onLocationChange = (place) => { this.place = place; onMove(place); };
    this.nv.onIntensityChange = () => onWindow(this.scan.cal_min, this.scan.cal_max);
  }

  async open(canvas, scan, labels) {
    const first = this.content.windows[0];
    await this.nv.attachToCanvas(canvas);
    this.scan = await niivue.NVImage.loadFromUrl({ url: scan, name: "scan.nii", colormap: "gray", cal_min: first.low, cal_max: first.high });
    this.nv.addVolume(this.scan);
    if (labels) {
      this.labels = await niivue.NVImage.loadFromUrl({ url: labels, name: "labels.nii", opacity: 0.45 });
      const colours = [[0, 0, 0], ...this.content.structures.map((structure) => structure.colour)];
      this.labels.setColormapLabel({
        R: colours.map((colour) => colour[0]), G: colours.map((colour) => colour[1]), B: colours.map((colour) => colour[2]),
        I: colours.map((_, label) => label), labels: colours.map(String),
      });
      this.allLabels = this.labels.img;
      this.nv.addVolume(this.labels);
    }
    this.nv.setRenderAzimuthElevation(180, 10); // from the front
    this.show("all");
    this.goTo(this.content.start);
    canvas.addEventListener("pointermove", (event) => this.scrollsAt(event));
    canvas.addEventListener("pointerdown", (event) => this.scrollsAt(event));
  }

  show(plane) {
    const { nv } = this;
    const types = { all: nv.sliceTypeMultiplanar, axial: nv.sliceTypeAxial, coronal: nv.sliceTypeCoronal, sagittal: nv.sliceTypeSagittal, render: nv.sliceTypeRender };
    this.plane = plane;
    if (plane in AXES) this.scrolled = plane;
    // At the edge of the canvas NiiVue's own letters are cut in half.
    nv.opts.isOrientationTextVisible = !(plane in EDGES);
    [...document.getElementById("edges").children].forEach((edge, place) => { edge.textContent = EDGES[plane]?.[place] ?? ""; });
    nv.setSliceType(types[plane]);
  }

  // Whether it is drawn by the processor alone.
  get isDrawnSlowly() {
    const { gl } = this.nv, info = gl.getExtension("WEBGL_debug_renderer_info");
    return /swiftshader|llvmpipe|software/i.test(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  }

  // The arrow keys scroll the plane that the pointer was over last.
  scrollsAt(event) {
    if (this.plane !== "all") return;
    const scale = this.nv.uiData.dpr || 1;
    const tile = this.nv.tileIndex(event.offsetX * scale, event.offsetY * scale);
    const kind = tile >= 0 ? this.nv.screenSlices[tile].axCorSag : -1;
    const scrolled = ["axial", "coronal", "sagittal"][kind] ?? this.scrolled;
    if (scrolled === this.scrolled) return;
    this.scrolled = scrolled;
    this.nv.createOnLocationChange();
  }

  // The number of the slice in the plane that is scrolled, from 1, and of how many; along the axis of the voxels that NiiVue shows.
  get slice() {
    const axis = AXES[this.scrolled], count = this.scan.dimsRAS[axis + 1];
    return { number: Math.min(count, Math.floor(this.nv.scene.crosshairPos[axis] * count) + 1), count };
  }

  scroll(steps) {
    const move = [0, 0, 0];
    move[AXES[this.scrolled]] = steps;
    this.nv.moveCrosshairInVox(...move);
  }

  goTo(mm) {
    this.nv.scene.crosshairPos = this.nv.mm2frac(mm, 0, true); // by the scan's affine, also where it is oblique
    this.nv.createOnLocationChange();
    this.nv.drawScene();
  }

  setWindow(low, high) {
    this.scan.cal_min = low;
    this.scan.cal_max = high;
    this.nv.refreshLayers(this.scan, 0);
    this.nv.drawScene();
    this.onWindow(low, high);
  }

  // Hidden structures are taken out of the label map, so that neither outlines nor the readout know them.
  showStructures(visible) {
    const isVisible = new Uint8Array(this.content.structures.length + 1);
    for (const label of visible) isVisible[label] = 1;
    if (visible.size === this.content.structures.length) {
      this.labels.img = this.allLabels;
    } else {
      if (this.labels.img === this.allLabels) this.labels.img = new this.allLabels.constructor(this.allLabels.length);
      const { img } = this.labels, all = this.allLabels;
      for (let voxel = 0; voxel < all.length; voxel++) img[voxel] = isVisible[all[voxel]] ? all[voxel] : 0;
    }
    this.redrawLabels();
  }

  setLook(opacity, isOutline) {
    this.labels.opacity = isOutline ? 0.02 : opacity; // at 0 NiiVue leaves the outlines out too
    this.nv.opts.atlasOutline = isOutline ? opacity : 0;
    this.redrawLabels();
  }

  redrawLabels() {
    this.nv.refreshLayers(this.labels, 1);
    this.nv.createOnLocationChange();
    this.nv.drawScene();
  }
}
