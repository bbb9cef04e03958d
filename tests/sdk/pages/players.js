/**
 * Players as platforms use them, each with what its own documents say: `make(box, film)` puts it into
 * a box and answers what a learner can do with it. `film` is a folder with film.mp4, film.m3u8 and
 * film.mpd; a player that does not say how it does something does it with its element.
 */
const packages = "/node_modules";

function script(path) {
  const there = document.querySelector(`script[src="${packages}/${path}"]`);
  if (there) return there.loaded;
  const tag = document.createElement("script");
  tag.src = `${packages}/${path}`;
  tag.loaded = new Promise((loaded, failed) => Object.assign(tag, { onload: loaded, onerror: failed }));
  document.head.append(tag);
  return tag.loaded;
}

function put(box, name = "video") {
  const element = document.createElement(name);
  Object.assign(element, { playsInline: true, controls: true, width: 480 });
  box.append(element);
  return element;
}

export const players = {
  async "hls.js"(box, film) {
    await script("hls.js/dist/hls.min.js");
    const video = put(box);
    let hls;
    const attach = (to) => {
      hls = new Hls({ startLevel: 0 });
      hls.loadSource(`${to}/film.m3u8`);
      hls.attachMedia(video);
    };
    attach(film);
    return {
      quality: () => (hls.currentLevel = 1),
      next: (to) => (hls.destroy(), attach(to)),
      destroy: () => (hls.destroy(), video.remove()),
    };
  },

  async "shaka-player"(box, film) {
    await script("shaka-player/dist/shaka-player.compiled.js");
    shaka.polyfill.installAll();
    const video = put(box);
    const player = new shaka.Player();
    await player.attach(video);
    player.configure({ abr: { enabled: false } });
    await player.load(`${film}/film.mpd`);
    return {
      quality: () => player.selectVariantTrack(player.getVariantTracks().find((it) => !it.active), true),
      next: (to) => player.load(`${to}/film.m3u8`),
      destroy: async () => (await player.destroy(), video.remove()),
    };
  },

  async "video.js"(box, film) {
    await script("video.js/dist/video.min.js");
    const player = videojs(put(box), { controls: true, preload: "auto", html5: { vhs: { overrideNative: true } } });
    const load = (to, name = "film.m3u8") => {
      const type = name.endsWith("8") ? "application/x-mpegURL" : "video/mp4";
      player.src({ src: `${to}/${name}`, type });
    };
    load(film);
    return {
      quality: () => {
        const at = player.currentTime();
        load(film, "film.mp4");
        player.one("loadedmetadata", () => (player.currentTime(at), player.play()));
      },
      next: (to) => load(to),
      seek: (to) => player.currentTime(to),
      rate: (to) => player.playbackRate(to),
      fullscreen: () => player.requestFullscreen(),
      destroy: () => player.dispose(),
    };
  },

  async DPlayer(box, film) {
    await Promise.all([script("hls.js/dist/hls.min.js"), script("dplayer/dist/DPlayer.min.js")]);
    const player = new DPlayer({
      container: box.appendChild(document.createElement("div")),
      preload: "auto",
      mutex: true,
      video: {
        defaultQuality: 0,
        quality: [
          { name: "标清", url: `${film}/film.m3u8`, type: "hls" },
          { name: "高清", url: `${film}/high.mp4`, type: "normal" },
        ],
      },
    });
    return {
      quality: () => {
        player.switchQuality(1);
        // Chromium's positions are whole microseconds: to one that is none, like 2.0313 that becomes
        // 2.031299, DPlayer seeks for ever.
        player.prevVideo.currentTime = Math.floor(player.prevVideo.currentTime * 8) / 8;
      },
      next: (to) => player.switchVideo({ url: `${to}/film.mp4`, type: "normal" }),
      seek: (to) => player.seek(to),
      rate: (to) => player.speed(to),
      fullscreen: () => player.fullScreen.request("browser"),
      destroy: () => player.destroy(),
    };
  },

  async xgplayer(box, film) {
    await script("xgplayer/dist/index.min.js");
    const player = new Player({ el: box.appendChild(document.createElement("div")), url: `${film}/film.mp4`, videoInit: true });
    return {
      quality: () => player.switchURL(`${film}/high.mp4`),
      next: (to) => player.playNext({ url: `${to}/film.mp4` }),
      seek: (to) => player.seek(to),
      rate: (to) => (player.playbackRate = to),
      fullscreen: () => player.getFullscreen(),
      destroy: () => player.destroy(),
    };
  },

  async Artplayer(box, film) {
    await Promise.all([script("hls.js/dist/hls.min.js"), script("artplayer/dist/artplayer.js")]);
    const m3u8 = (video, url, art) => {
      art.hls?.destroy();
      art.hls = new Hls();
      art.hls.loadSource(url);
      art.hls.attachMedia(video);
      art.on("destroy", () => art.hls.destroy());
    };
    const container = box.appendChild(document.createElement("div"));
    container.style.cssText = "width: 480px; height: 270px";
    const player = new Artplayer({ container, url: `${film}/film.m3u8`, type: "m3u8", customType: { m3u8 } });
    return {
      quality: () => player.switchQuality(`${film}/high.m3u8`),
      next: (to) => player.switchUrl(`${to}/film.m3u8`),
      seek: (to) => (player.seek = to),
      rate: (to) => (player.playbackRate = to),
      fullscreen: () => (player.fullscreen = true),
      destroy: () => player.destroy(),
    };
  },

  async Plyr(box, film) {
    await script("plyr/dist/plyr.min.js");
    const video = put(box);
    const sources = (to) => [
      { src: `${to}/film.mp4`, type: "video/mp4", size: 720 },
      { src: `${to}/high.mp4`, type: "video/mp4", size: 1080 },
    ];
    const player = new Plyr(video, { quality: { default: 720, options: [1080, 720] }, loadSprite: false, iconUrl: "/none.svg" });
    const load = (to) => (player.source = { type: "video", sources: sources(to) });
    load(film);
    return {
      quality: () => (player.quality = 1080),
      next: load,
      seek: (to) => (player.currentTime = to),
      rate: (to) => (player.speed = to),
      fullscreen: () => player.fullscreen.enter(),
      destroy: () => (player.destroy(), box.replaceChildren()),
    };
  },

  async "MediaElement.js"(box, film) {
    await script("mediaelement/build/mediaelement-and-player.min.js");
    const video = put(box);
    Object.assign(video, { src: `${film}/film.mp4`, preload: "auto" });
    const player = new MediaElementPlayer(video, { iconSprite: "/none.svg" });
    return {
      quality: async () => {
        const at = player.currentTime;
        player.setSrc(`${film}/high.mp4`);
        player.load();
        player.currentTime = at;
        await player.play();
      },
      next: (to) => (player.setSrc(`${to}/film.mp4`), player.load()),
      seek: (to) => player.setCurrentTime(to),
      destroy: () => (player.remove(), box.replaceChildren()),
    };
  },

  async Aliplayer(box, film) {
    await script("aliyun-aliplayer/dist/aliplayer-min.js");
    const inside = box.appendChild(document.createElement("div"));
    inside.id = "aliplayer";
    const player = new Aliplayer({ id: "aliplayer", source: `${film}/film.mp4`, width: "480px", height: "270px", autoplay: false, preload: true });
    return {
      next: (to) => player.loadByUrl(`${to}/film.mp4`, 0, false),
      seek: (to) => player.seek(to),
      rate: (to) => player.setSpeed(to),
      fullscreen: () => player.fullscreenService.requestFullScreen(),
      destroy: () => (player.dispose(), box.replaceChildren()),
    };
  },

  async TCPlayer(box, film) {
    await script("tcplayer.js/dist/tcplayer.v4.9.1.min.js");
    const video = put(box);
    video.id = "tcplayer";
    const player = TCPlayer("tcplayer", { sources: [{ src: `${film}/film.mp4`, type: "video/mp4" }] });
    return {
      next: (to) => player.src(`${to}/film.mp4`),
      seek: (to) => player.currentTime(to),
      rate: (to) => player.playbackRate(to),
      fullscreen: () => player.requestFullscreen(),
      destroy: () => player.dispose(),
    };
  },
};

/** Put a player into the box, and wait until it knows its film. */
export async function make(name, box, film) {
  const made = await players[name](box, film);
  const video = () => box.querySelector("video");
  if (!(video()?.readyState >= 1)) {
    await new Promise((ready) => {
      const timer = setInterval(() => video()?.readyState >= 1 && (clearInterval(timer), ready()), 50);
    });
  }
  return {
    seek: (to) => (video().currentTime = to),
    rate: (to) => (video().playbackRate = to),
    fullscreen: () => video().requestFullscreen(),
    ...made,
    name,
    video,
  };
}
