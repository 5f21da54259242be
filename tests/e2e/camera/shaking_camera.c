/*
 * A camera that isn't there: a GStreamer device provider whose one device is a hand holding a phone in front of a code.
 *
 *   PEDDLENET_TEST_CAMERA=code.pgm    grey picture of the code (P5, 255 levels), read when the camera is switched on
 *
 * WebKitGTK asks GStreamer for video sources, so this one is listed, opened and read as any camera is: the
 * whole real path runs (getUserMedia, video element, canvas, shell). The picture moves on a Lissajous
 * curve, turns, tilts and comes in and out of focus; one round takes ROUND_S. Every time it is switched on, it begins
 * elsewhere on the round, at the golden section from where it began last, so no start is like another and no two runs differ.
 *
 * Built by tests/e2e/harness/camera.js with nothing but cc and libgstreamer1.0-dev; loaded through GST_PLUGIN_PATH.
 */
#include <gst/base/gstpushsrc.h>
#include <gst/gst.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define PACKAGE "peddlenet-tests"
#define WIDTH 1280
#define HEIGHT 720
#define FPS 30
#define ROUND_S 4.0
#define ROUND_FRAMES ((int)(FPS * ROUND_S))
#define GOLDEN_SECTION 0.618033988749895

#define CAPS                                                                                                   \
  "video/x-raw, format=(string)I420, width=(int)1280, height=(int)720, framerate=(fraction)30/1, "             \
  "pixel-aspect-ratio=(fraction)1/1, interlace-mode=(string)progressive"

/* ---- the picture ---- */

typedef struct {
  int width, height;
  guint8 *grey;
} Picture;

/* A P5 file; an empty picture when it can't be read, which shows as an empty room. */
static Picture read_picture (const char *path)
{
  Picture picture = { 0, 0, NULL };
  FILE *file = path ? fopen (path, "rb") : NULL;
  int levels;
  if (!file)
    return picture;
  if (fscanf (file, "P5 %d %d %d", &picture.width, &picture.height, &levels) == 3 && levels == 255
      && picture.width > 0 && picture.height > 0 && picture.width <= 4096 && picture.height <= 4096
      && fgetc (file) != EOF) {
    gsize bytes = (gsize) picture.width * picture.height;
    picture.grey = g_malloc (bytes);
    if (fread (picture.grey, 1, bytes, file) != bytes)
      g_clear_pointer (&picture.grey, g_free);
  }
  fclose (file);
  return picture;
}

/* The mean of 2 * radius + 1 pixels along a line of `count` pixels `step` apart. */
static void blur_line (guint8 *line, int count, int step, int radius)
{
  guint8 kept[WIDTH];
  int sum = 0, share = 2 * radius + 1;
  for (int i = 0; i < count; i++)
    kept[i] = line[(gsize) i * step];
  for (int i = -radius; i <= radius; i++)
    sum += kept[CLAMP (i, 0, count - 1)];
  for (int i = 0; i < count; i++) {
    line[(gsize) i * step] = (guint8) (sum / share);
    sum += kept[MIN (i + radius + 1, count - 1)] - kept[MAX (i - radius, 0)];
  }
}

/* Frame `at` (0..1) of the round: where the hand is, how it holds, whether the lens has focus. */
static void render (const Picture *picture, double at, guint8 *luma)
{
  const double turn = 2 * G_PI * at;
  const double side = 430 + 110 * sin (turn);                 /* of the code, in pixels: nearer and farther */
  const double roll = 0.35 * sin (2 * turn + 1);              /* +- 20 degrees */
  const double tilt_x = 0.00055 * sin (turn + 2), tilt_y = 0.00055 * cos (3 * turn); /* of perspective a pixel */
  const double left = WIDTH / 2 + 260 * sin (3 * turn + 0.5), top = HEIGHT / 2 + 70 * sin (2 * turn);
  const int blur = (int) lround (4.4 * MAX (0, sin (2 * turn)));   /* out of focus for half of the time */
  const double scale = picture->width / side, c = cos (roll) * scale, s = sin (roll) * scale;
  for (int y = 0; y < HEIGHT; y++) {
    for (int x = 0; x < WIDTH; x++) {
      const double dx = x - left, dy = y - top, depth = 1 + tilt_x * dx + tilt_y * dy;
      const int u = (int) floor ((c * dx + s * dy) / depth + picture->width / 2.0);
      const int v = (int) floor ((c * dy - s * dx) / depth + picture->height / 2.0);
      guint8 level = (guint8) (70 + 25 * ((x / 90 + y / 70) % 3));   /* the room */
      if (picture->grey && u >= 0 && v >= 0 && u < picture->width && v < picture->height)
        level = (guint8) (30 + picture->grey[(gsize) v * picture->width + u] * 190 / 255);
      luma[(gsize) y * WIDTH + x] = level;
    }
  }
  for (int pass = 0; blur > 0 && pass < 2; pass++) {
    for (int y = 0; y < HEIGHT; y++)
      blur_line (luma + (gsize) y * WIDTH, WIDTH, 1, blur);
    for (int x = 0; x < WIDTH; x++)
      blur_line (luma + x, HEIGHT, WIDTH, blur);
  }
}

/* ---- the source element ---- */

typedef struct {
  GstPushSrc parent;
  guint8 *frames; /* one round, luma only */
  gint64 began;
  guint64 sent;
  int first;
} ShakingSrc;
typedef GstPushSrcClass ShakingSrcClass;

G_DEFINE_TYPE (ShakingSrc, shaking_src, GST_TYPE_PUSH_SRC)

/* One round is rendered once a process: 110 MB, and no time while a test is measured. */
static guint8 *round_frames (void)
{
  static guint8 *frames = NULL;
  static GMutex once;
  g_mutex_lock (&once);
  if (!frames) {
    Picture picture = read_picture (g_getenv ("PEDDLENET_TEST_CAMERA"));
    frames = g_malloc ((gsize) ROUND_FRAMES * WIDTH * HEIGHT);
    for (int n = 0; n < ROUND_FRAMES; n++)
      render (&picture, (double) n / ROUND_FRAMES, frames + (gsize) n * WIDTH * HEIGHT);
    g_free (picture.grey);
  }
  g_mutex_unlock (&once);
  return frames;
}

static gboolean shaking_src_start (GstBaseSrc *base)
{
  static int starts = 0;
  ShakingSrc *self = (ShakingSrc *) base;
  double at = g_atomic_int_add (&starts, 1) * GOLDEN_SECTION;
  self->frames = round_frames ();
  self->first = (int) ((at - floor (at)) * ROUND_FRAMES);
  self->sent = 0;
  self->began = g_get_monotonic_time ();
  return TRUE;
}

static GstFlowReturn shaking_src_create (GstPushSrc *push, GstBuffer **out)
{
  ShakingSrc *self = (ShakingSrc *) push;
  const gsize luma = (gsize) WIDTH * HEIGHT;
  const gint64 due = self->began + (gint64) (self->sent * G_USEC_PER_SEC / FPS);
  const gint64 early = due - g_get_monotonic_time ();
  GstMapInfo map;
  if (early > 0)
    g_usleep ((gulong) early);
  *out = gst_buffer_new_allocate (NULL, luma + luma / 2, NULL);
  if (!*out || !gst_buffer_map (*out, &map, GST_MAP_WRITE))
    return GST_FLOW_ERROR;
  memcpy (map.data, self->frames + ((self->first + self->sent) % ROUND_FRAMES) * luma, luma);
  memset (map.data + luma, 128, luma / 2); /* no colour */
  gst_buffer_unmap (*out, &map);
  GST_BUFFER_DURATION (*out) = GST_SECOND / FPS;
  self->sent++;
  return GST_FLOW_OK;
}

static void shaking_src_class_init (ShakingSrcClass *klass)
{
  GstCaps *caps = gst_caps_from_string (CAPS);
  gst_element_class_add_pad_template (GST_ELEMENT_CLASS (klass),
      gst_pad_template_new ("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
  gst_caps_unref (caps);
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass), "Shaking camera", "Source/Video",
      "A hand that holds a phone in front of a code", "PeddleNet");
  GST_BASE_SRC_CLASS (klass)->start = shaking_src_start;
  klass->create = shaking_src_create;
}

static void shaking_src_init (ShakingSrc *self)
{
  gst_base_src_set_live (GST_BASE_SRC (self), TRUE);
  gst_base_src_set_format (GST_BASE_SRC (self), GST_FORMAT_TIME);
  gst_base_src_set_do_timestamp (GST_BASE_SRC (self), TRUE);
}

/* ---- the device and its provider ---- */

typedef GstDevice ShakingDevice;
typedef GstDeviceClass ShakingDeviceClass;
G_DEFINE_TYPE (ShakingDevice, shaking_device, GST_TYPE_DEVICE)

static GstElement *shaking_device_create_element (GstDevice *device, const gchar *name)
{
  (void) device;
  return g_object_new (shaking_src_get_type (), "name", name, NULL);
}

static void shaking_device_class_init (ShakingDeviceClass *klass)
{
  klass->create_element = shaking_device_create_element;
}

static void shaking_device_init (ShakingDevice *self)
{
  (void) self;
}

typedef GstDeviceProvider ShakingProvider;
typedef GstDeviceProviderClass ShakingProviderClass;
G_DEFINE_TYPE (ShakingProvider, shaking_provider, GST_TYPE_DEVICE_PROVIDER)

static GList *shaking_provider_probe (GstDeviceProvider *provider)
{
  GstCaps *caps = gst_caps_from_string (CAPS);
  GstStructure *properties = gst_structure_new ("shaking-camera", "device.path", G_TYPE_STRING, "shaking-camera",
      "is-default", G_TYPE_BOOLEAN, TRUE, NULL);
  GstDevice *device = g_object_new (shaking_device_get_type (), "display-name", "Shaking camera", "caps", caps,
      "device-class", "Video/Source", "properties", properties, NULL);
  (void) provider;
  gst_structure_free (properties);
  gst_caps_unref (caps);
  return g_list_prepend (NULL, device);
}

static gboolean shaking_provider_start (GstDeviceProvider *provider)
{
  GList *devices = shaking_provider_probe (provider);
  gst_device_provider_device_add (provider, devices->data);
  g_list_free (devices);
  return TRUE;
}

static void shaking_provider_stop (GstDeviceProvider *provider)
{
  (void) provider;
}

static void shaking_provider_class_init (ShakingProviderClass *klass)
{
  klass->probe = shaking_provider_probe;
  klass->start = shaking_provider_start;
  klass->stop = shaking_provider_stop;
  gst_device_provider_class_set_static_metadata (klass, "Shaking camera", "Source/Video",
      "Lists the camera that isn't there", "PeddleNet");
}

static void shaking_provider_init (ShakingProvider *self)
{
  (void) self;
}

static gboolean plugin_init (GstPlugin *plugin)
{
  return gst_element_register (plugin, "shakingcamerasrc", GST_RANK_NONE, shaking_src_get_type ())
      && gst_device_provider_register (plugin, "shakingcameraprovider", GST_RANK_PRIMARY, shaking_provider_get_type ());
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, shakingcamera, "A camera for tests", plugin_init, "1.0",
    "MIT/X11", "peddlenet", "https://example.invalid/")
