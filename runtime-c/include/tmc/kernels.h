/*
 * Int8 kernels that generated models call: TFLite's integer specification with TFLite Micro's reference
 * rounding, bit for bit. Every quantity of a layer is in a constant struct that the generator fills; kernels
 * check nothing.
 *
 * Tensors are NHWC with batch 1. Sums wrap modulo 2^32. Unless a kernel says otherwise, its output must not
 * overlap its inputs. No heap, no state.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_KERNELS_H
#define TMC_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

/* A window over [1, H, W, C]; height and width pairs, top and left padding. */
typedef struct {
    int32_t input_height, input_width, input_channels;
    int32_t output_height, output_width, output_channels;
    int32_t filter_height, filter_width;
    int32_t stride_height, stride_width;
    int32_t dilation_height, dilation_width;
    int32_t pad_top, pad_left;
} tmc_window;

/* acc -> clamp(acc * multiplier[c] * 2^(shift[c] - 31) + output_offset, min, max), c = output channel.
 * multiplier: 0 or 2^30..2^31-1; shift: -31..30, positive to the left. */
typedef struct {
    const int32_t *multiplier;
    const int8_t *shift;
    int32_t output_offset;
    int32_t min, max;
} tmc_requantization;

typedef struct {
    tmc_window window;
    int32_t depth_multiplier; /* output_channels = input_channels * depth_multiplier */
    const int8_t *filter;     /* [filter_height][filter_width][output_channels] */
    const int32_t *bias;      /* [output_channels], or NULL */
    int32_t input_offset;
    tmc_requantization requantization;
} tmc_depthwise_conv2d;

void tmc_depthwise_conv2d_s8(const tmc_depthwise_conv2d *layer, const int8_t *input, int8_t *output);

typedef struct {
    int32_t count;
    int32_t left_offset, left_multiplier, left_shift; /* shifts are 0..-31 */
    int32_t right_offset, right_multiplier, right_shift;
    int32_t output_offset, output_multiplier, output_shift;
    int32_t min, max;
} tmc_add;

/* output may be left or right. */
void tmc_add_s8(const tmc_add *layer, const int8_t *left, const int8_t *right, int8_t *output);

/* x -> (x + offset) * multiplier * 2^(shift - 31); of the output the offset is added last. Shift -31..30. */
typedef struct {
    int32_t offset, multiplier, shift;
} tmc_factor;

/* Two operands with broadcasting. Steps are elements from one index of a dimension to the next, 0 where the
 * operand repeats; dimensions that are not there have size 1. The sum and the difference bring both operands
 * to one scale; the product uses the output's multiplier only; PReLU the output's for values of at least 0,
 * the right one's for products with a slope; minimum and maximum compare stored values. */
typedef struct {
    int32_t shape[4];
    int32_t left_steps[4], right_steps[4];
    tmc_factor left, right, output;
    int32_t min, max;
} tmc_elementwise;

/* output may be an operand without a step of 0. */
void tmc_elementwise_add_s8(const tmc_elementwise *layer, const int8_t *left, const int8_t *right,
                            int8_t *output);
void tmc_elementwise_sub_s8(const tmc_elementwise *layer, const int8_t *left, const int8_t *right,
                            int8_t *output);
void tmc_elementwise_mul_s8(const tmc_elementwise *layer, const int8_t *left, const int8_t *right,
                            int8_t *output);
void tmc_elementwise_prelu_s8(const tmc_elementwise *layer, const int8_t *left, const int8_t *right,
                              int8_t *output);
void tmc_elementwise_minimum_s8(const tmc_elementwise *layer, const int8_t *left, const int8_t *right,
                                int8_t *output);
void tmc_elementwise_maximum_s8(const tmc_elementwise *layer, const int8_t *left, const int8_t *right,
                                int8_t *output);

/* The same for int16 tensors, which are passed as bytes, the low one first. */
void tmc_elementwise_add_s16(const tmc_elementwise *layer, const int8_t *left, const int8_t *right,
                             int8_t *output);
void tmc_elementwise_sub_s16(const tmc_elementwise *layer, const int8_t *left, const int8_t *right,
                             int8_t *output);
void tmc_elementwise_mul_s16(const tmc_elementwise *layer, const int8_t *left, const int8_t *right,
                             int8_t *output);
void tmc_elementwise_minimum_s16(const tmc_elementwise *layer, const int8_t *left, const int8_t *right,
                                 int8_t *output);
void tmc_elementwise_maximum_s16(const tmc_elementwise *layer, const int8_t *left, const int8_t *right,
                                 int8_t *output);

typedef struct {
    int32_t count;
    const int8_t *table; /* 256 results: of 0..127, then of -128..-1 */
} tmc_lookup;

/* output may be input. */
void tmc_lookup_s8(const tmc_lookup *layer, const int8_t *input, int8_t *output);

typedef struct {
    tmc_window window; /* dilation 1; every window covers at least one input */
    int32_t min, max;
} tmc_pool2d;

void tmc_max_pool2d_s8(const tmc_pool2d *layer, const int8_t *input, int8_t *output);
void tmc_average_pool2d_s8(const tmc_pool2d *layer, const int8_t *input, int8_t *output);

typedef struct {
    int32_t rows, depth; /* depth 1..511 */
    int32_t multiplier;
    int32_t shift;          /* 0..31 */
    int32_t min_difference; /* to the row's maximum; below it the probability is 0 */
} tmc_softmax;

void tmc_softmax_s8(const tmc_softmax *layer, const int8_t *input, int8_t *output);

/* `count` times; the positions in input and output go on by `from` (which may be negative or 0) and `to`. */
typedef struct {
    int32_t count, from, to;
} tmc_loop;

enum { TMC_MOVE_LOOPS = 4 };

/* Copies `run` neighbouring elements in every iteration of the loops. Elements that no run writes stay. */
typedef struct {
    int32_t from, to, run; /* the first run */
    tmc_loop inner;
    int32_t depth; /* loops around the inner one, outermost first */
    tmc_loop loops[TMC_MOVE_LOOPS];
} tmc_move;

void tmc_move_s8(const tmc_move *move, const int8_t *input, int8_t *output);

/* The runs that start at rows[y] + columns[x], one after the other. */
typedef struct {
    int32_t row_count, column_count, run;
    const int32_t *rows;
    const int32_t *columns;
} tmc_resize;

void tmc_resize_s8(const tmc_resize *layer, const int8_t *input, int8_t *output);

typedef struct {
    int32_t count, step;
} tmc_axis;

/* Axes outermost first; those that are not used have count 1. A sum plus `total` (minus the zero point times
 * the number of inputs of an output) is scaled by multiplier * 2^(shift - 31), multiplier not negative. */
typedef struct {
    tmc_axis kept[3], reduced[3];
    int32_t total;
    int32_t multiplier, shift;
    int32_t output_offset;
} tmc_reduce;

void tmc_sum_s8(const tmc_reduce *layer, const int8_t *input, int8_t *output);
void tmc_reduce_max_s8(const tmc_reduce *layer, const int8_t *input, int8_t *output);
void tmc_reduce_min_s8(const tmc_reduce *layer, const int8_t *input, int8_t *output);

/*
 * Kernels of int16 activations with int8 weights: symmetric, zero points 0. Tensors are passed as bytes, the
 * low one first. Sums are of 64 bits, below 2^47; then acc * (multiplier rounded to 15 bits) * 2^(shift -
 * 15), rounded once; shift -31..7.
 */
typedef struct {
    tmc_window window;
    int32_t depth_multiplier; /* of depthwise convolutions; else 0 */
    /* [output_channels][filter_height][filter_width][input_channels]; depthwise:
     * [filter_height][filter_width][output_channels] */
    const int8_t *filter;
    const int64_t *bias; /* [output_channels], or NULL */
    const int32_t *multiplier;
    const int8_t *shift;
    int32_t min, max;
} tmc_wide_conv2d;

void tmc_wide_conv2d_s16(const tmc_wide_conv2d *layer, const int8_t *input, int8_t *output);
void tmc_wide_depthwise_conv2d_s16(const tmc_wide_conv2d *layer, const int8_t *input, int8_t *output);

typedef struct {
    int32_t rows, input_depth, output_depth;
    const int8_t *filter; /* [output_depth][input_depth] */
    const int64_t *bias;  /* [output_depth], or NULL */
    const int32_t *multiplier;
    const int8_t *shift;
    int32_t min, max;
} tmc_wide_fully_connected;

void tmc_wide_fully_connected_s16(const tmc_wide_fully_connected *layer, const int8_t *input, int8_t *output);

void tmc_wide_max_pool2d_s16(const tmc_pool2d *layer, const int8_t *input, int8_t *output);
void tmc_wide_average_pool2d_s16(const tmc_pool2d *layer, const int8_t *input, int8_t *output);

/* Inputs times multiplier (1..32767) over 2^shift (0..31) are steps of 1/12288. */
typedef struct {
    int32_t count;
    int32_t multiplier, shift;
    const uint16_t *table; /* 256 values of the logistic function at i / 24, in 1/65536 */
} tmc_wide_sigmoid;

/* output may be input. */
void tmc_wide_logistic_s16(const tmc_wide_sigmoid *layer, const int8_t *input, int8_t *output);
void tmc_wide_tanh_s16(const tmc_wide_sigmoid *layer, const int8_t *input, int8_t *output);

typedef struct {
    int32_t rows, depth;         /* depth 1..511 */
    int32_t multiplier, shift;   /* -31..14; differences to the maximum become steps of 10/65535 */
    const int16_t *exponentials; /* 513 values of exp on [-10, 0], in 1/32768 */
    const int16_t *reciprocals;  /* 513 values of 1 / (1 + x) on [0, 1], in 1/32768 */
} tmc_wide_softmax;

void tmc_wide_softmax_s16(const tmc_wide_softmax *layer, const int8_t *input, int8_t *output);

/*
 * Fast kernels: the same results for layers that the generator has proved to fit them, with weights packed in
 * the order they are read (`stream`: see runtime-c/kernels, *_block.h). `offsets` is minus the input's zero
 * point in both halves. On CPUs with DSP instructions they use those. Little-endian only.
 */

/* How a channel is requantised where its multiplication shifts right by 1..22 and twice its accumulator fits
 * in 32 bits, both proved by the generator. */
typedef struct {
    int32_t multiplier;
    int32_t rounding; /* 2^(shift - 1) + output zero point * 2^shift */
    int32_t shift;
} tmc_right_shift;

/* Output positions that a fast convolution computes together, at most. */
enum { TMC_FAST_CONV2D_POSITIONS = 24 };

typedef struct {
    tmc_window window; /* dilation 1, but for the kernels that say otherwise */
    const uint32_t *stream;
    int32_t pairs;   /* half of the inputs of a window, rounded up to an even number */
    int32_t triples; /* positions computed together / 3 */
    bool copies;     /* weights go to scratch memory before they are used; needs pairs % 8 == 0 */
    int32_t input_offset;
    uint32_t offsets;
    int32_t min, max;
    /* Fills the column of a window inside the image, whose first input is at `from`: code made for the shape
     * of small windows; NULL for others. May read 3 bytes after the window. */
    void (*gather)(const int8_t *from, uint32_t *column);
} tmc_fast_conv2d;

/* `columns` is scratch: 3 * pairs * triples words, pairs + 8 words where it copies, then 2 * pairs + 4 bytes.
 * Up to 3 bytes after the input are read, without effect on the result. */
void tmc_fast_conv2d_s8(const tmc_fast_conv2d *layer, const int8_t *input, uint32_t *columns, int8_t *output);

/* The same with dilation. */
void tmc_fast_conv2d_dilated_s8(const tmc_fast_conv2d *layer, const int8_t *input, uint32_t *columns,
                                int8_t *output);

/* 1x1 windows with stride 1, input channels a multiple of 4. Scratch as above without the bytes. */
void tmc_fast_conv2d_1x1_s8(const tmc_fast_conv2d *layer, const int8_t *input, uint32_t *columns,
                            int8_t *output);

/* Tiles that Winograd's method computes together, at most. */
enum { TMC_WINOGRAD_TILES = 24 };

/* 3x3 windows with stride 1 by Winograd's method: input channels a multiple of 8, output channels even. */
typedef struct {
    tmc_window window;
    const uint32_t *stream;
    int32_t triples; /* tiles of 2x2 outputs computed together / 3 */
    int32_t input_offset;
    uint32_t offsets;
    int32_t min, max;
} tmc_winograd_conv2d;

/* Scratch: 24 * input channels * triples words, then 16 * input channels words, 96 words, input channels
 * bytes. */
void tmc_winograd_conv2d_s8(const tmc_winograd_conv2d *layer, const int8_t *input, uint32_t *scratch,
                            int8_t *output);

typedef struct {
    tmc_window window; /* dilation 1, as many input as output channels, a multiple of 4; at most 16 rows */
    const uint32_t *stream;
    int32_t columns; /* inputs that a row of windows touches, padding included */
    bool copies;     /* the stream goes to scratch memory before it is used */
    uint32_t offsets;
    int32_t min, max;
} tmc_fast_depthwise_conv2d;

/* `rows` is scratch: filter_height * columns * channels / 2 words, then the stream where it copies. The
 * second and third are for windows of 3x3 with horizontal stride 1 and 2. */
void tmc_fast_depthwise_conv2d_s8(const tmc_fast_depthwise_conv2d *layer, const int8_t *input, uint32_t *rows,
                                  int8_t *output);
void tmc_fast_depthwise_conv2d_3x3_s8(const tmc_fast_depthwise_conv2d *layer, const int8_t *input,
                                      uint32_t *rows, int8_t *output);
void tmc_fast_depthwise_conv2d_3x3_stride2_s8(const tmc_fast_depthwise_conv2d *layer, const int8_t *input,
                                              uint32_t *rows, int8_t *output);

typedef struct {
    int32_t rows, input_depth, output_depth;
    const uint32_t *stream;
    const tmc_right_shift *requantization;
    int32_t requantization_step; /* 0: one for all channels; 1: one each */
    int32_t min, max;
} tmc_fast_fully_connected;

/* Up to 3 bytes after the input are read, without effect on the result. */
void tmc_fast_fully_connected_s8(const tmc_fast_fully_connected *layer, const int8_t *input, int8_t *output);

/* Six channels at a time, as far as there are six more: faster, with more code. */
void tmc_fast_fully_connected_wide_s8(const tmc_fast_fully_connected *layer, const int8_t *input,
                                      int8_t *output);

/*
 * For layers of any weights, biases and requantisation: the same fast multiplications, with weights packed
 * otherwise, but outputs that are requantised one by one.
 */
typedef struct {
    tmc_fast_conv2d conv; /* any dilation; does not copy, no clamp */
    const int32_t *bias;  /* [output_channels], or NULL */
    tmc_requantization requantization;
} tmc_general_conv2d;

/* Scratch as for tmc_fast_conv2d_s8. */
void tmc_general_conv2d_s8(const tmc_general_conv2d *layer, const int8_t *input, uint32_t *columns,
                           int8_t *output);

typedef struct {
    tmc_window window; /* at most 16 rows */
    int32_t depth_multiplier;
    /* Where all channels shift right, as for the fast kernel (depthwise_block.h); else only the taps of each
     * four channels, not doubled. Channels filled up to a multiple of 4. */
    const uint32_t *stream;
    bool right;
    const int32_t *bias; /* [output_channels], or NULL; not used where all shift right */
    int32_t columns;     /* inputs that a row of windows touches, padding included */
    uint32_t offsets;
    tmc_requantization requantization; /* where all shift right, only the clamp */
} tmc_general_depthwise_conv2d;

/* `rows` is scratch: 2 * columns words for each four output channels, for each row that a window spans, then
 * 4 bytes for each output of a row. Up to 3 bytes after the input are read, without effect on the result. */
void tmc_general_depthwise_conv2d_s8(const tmc_general_depthwise_conv2d *layer, const int8_t *input,
                                     uint32_t *rows, int8_t *output);

typedef struct {
    int32_t rows, input_depth, output_depth;
    const uint32_t *stream;
    const int32_t *bias; /* with the input's zero point multiplied in; output_depth up to a multiple of 4 */
    tmc_requantization requantization;
} tmc_general_fully_connected;

/* Up to 3 bytes after the input are read, without effect on the result. */
void tmc_general_fully_connected_s8(const tmc_general_fully_connected *layer, const int8_t *input,
                                    int8_t *output);

/* The operand with the smaller scale is `scaled`, the other only shifted. */
typedef struct {
    int32_t count;
    int32_t scaled_offset, scaled_multiplier, scaled_shift; /* shift 1..31 */
    int32_t scaled_rounding; /* 2^(shift - 1), plus the plain operand's offset * 2^(19 + shift) */
    tmc_right_shift output;
    int32_t min, max;
} tmc_fast_add;

/* output may be scaled or plain. */
void tmc_fast_add_s8(const tmc_fast_add *layer, const int8_t *scaled, const int8_t *plain, int8_t *output);

/* Operands of equal scales: `scaled_offset` is the sum of both offsets, the other fields of `scaled` are not
 * used. */
void tmc_fast_add_equal_s8(const tmc_fast_add *layer, const int8_t *left, const int8_t *right,
                           int8_t *output);

/* At least 4 channels. */
void tmc_fast_max_pool2d_s8(const tmc_pool2d *layer, const int8_t *input, int8_t *output);
void tmc_fast_average_pool2d_s8(const tmc_pool2d *layer, const int8_t *input, int8_t *output);

#ifdef TMC_MODEL_LAYERS
/* Called after each operator, when compiled in: `operator_index` of `model` has written tensor `tensor`. */
void tmc_model_layer(int32_t model, int32_t operator_index, int32_t tensor, const int8_t *data, int32_t size);
#endif

#endif
