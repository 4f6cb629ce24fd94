// Convolutions with the sums of the processor's kernels, bit by bit: each result is one chain of fused multiply-adds in
// ascending order for every BLOCK terms, and the blocks add left to right (K-2). A place outside of the image is a zero
// term. What only fills a tile up is -0 times +0, which changes no sum.
//
// A group of ITEM_ROWS x ITEM_COLUMNS items computes EACH x EACH results an item, which stay in registers. DEPTH terms
// of both operands are in local memory at a time, so that a number is fetched once for EACH * ITEM_ROWS or
// EACH * ITEM_COLUMNS of the results. A product of m rows, n columns and k terms takes 2·m·n·k operations and reads
// m·n·k / (EACH * ITEM_COLUMNS) + m·n·k / (EACH * ITEM_ROWS) numbers.

#pragma OPENCL FP_CONTRACT OFF
#ifdef WIDE
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
typedef double real;
#else
typedef float real;
#endif

#define ITEMS (ITEM_ROWS * ITEM_COLUMNS)
#define ROWS (ITEM_ROWS * EACH)
#define COLUMNS (ITEM_COLUMNS * EACH)
#define NEUTRAL ((real)(-0.0f))

typedef struct
{
    int rows, samples, pixels, columns;         // results of one group: rows, and of each sample so many in rows of columns
    int height, width, imageSample, imageGroup; // of the image that is read
    int step, first;                            // place of result (i, j) in the image: first + step·i, first + step·j
    int resultSample, resultGroup, resultRow, resultWidth, resultStep, top, left;
    int weightGroup, weightRow, tiles, hasBias;
} Correlation;

typedef struct
{
    int rows, terms, plane, columns; // channels and weights of a group; results of the convolution, in rows of columns
    int height, width, step, padding;
    int imageSample, imageGroup, gradientSample, gradientGroup;
    int groups, firstSum;
} Weighing;

inline void multiply(local real (*a)[ROWS + 1], local real (*b)[COLUMNS + 1], real chain[EACH][EACH])
{
    for (int k = 0; k < DEPTH; k++)
    {
        real x[EACH], y[EACH];
        for (int i = 0; i < EACH; i++) x[i] = a[k][get_local_id(1) + ITEM_ROWS * i];
        for (int j = 0; j < EACH; j++) y[j] = b[k][get_local_id(0) + ITEM_COLUMNS * j];
        for (int i = 0; i < EACH; i++)
            for (int j = 0; j < EACH; j++) chain[i][j] = fma(x[i], y[j], chain[i][j]);
    }
}

// The end of a block: its chain is the first sum, or is added to the sum so far.
inline void end_block(real chain[EACH][EACH], real total[EACH][EACH], int started)
{
    for (int i = 0; i < EACH; i++)
        for (int j = 0; j < EACH; j++)
        {
            total[i][j] = started ? total[i][j] + chain[i][j] : chain[i][j];
            chain[i][j] = 0;
        }
}

// result[row, pixel] = sum over terms of w[row, term]·image[pixel, term] (+ bias[row]), one group of channels for each
// place of dimension 2. A term is (plane of the image, rows down, columns right, place of its weight): a plane below 0
// is a zero of the image, a weight below 0 fills up. ends[t]: a block ends with tile t.
kernel __attribute__((reqd_work_group_size(ITEM_COLUMNS, ITEM_ROWS, 1)))
void correlate(global const real *image, global const real *w, global const real *bias, global real *result,
    global const int4 *terms, global const int *ends, Correlation c)
{
    local real a[DEPTH][ROWS + 1];
    local real b[DEPTH][COLUMNS + 1];
    const int item = get_local_id(1) * ITEM_COLUMNS + get_local_id(0);
    const int group = get_group_id(2), firstRow = get_group_id(1) * ROWS, firstColumn = get_group_id(0) * COLUMNS;
    const int mine = firstColumn + item % COLUMNS;
    const int inside = mine < c.samples * c.pixels;
    const int pixel = mine % c.pixels;
    const int top = c.first + pixel / c.columns * c.step, left = c.first + pixel % c.columns * c.step;
    global const real *source = image + (inside ? mine / c.pixels * c.imageSample + group * c.imageGroup : 0);
    global const real *weights = w + group * c.weightGroup;
    real chain[EACH][EACH], total[EACH][EACH];
    for (int i = 0; i < EACH; i++)
        for (int j = 0; j < EACH; j++) chain[i][j] = total[i][j] = 0;
    int started = 0;
    for (int tile = 0; tile < c.tiles; tile++)
    {
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int k = item / COLUMNS; k < DEPTH; k += ITEMS / COLUMNS)
        {
            const int4 term = terms[tile * DEPTH + k];
            const int h = top + term.y, l = left + term.z;
            const int seen = inside && term.x >= 0 && h >= 0 && h < c.height && l >= 0 && l < c.width;
            b[k][item % COLUMNS] = seen ? source[term.x + h * c.width + l] : 0;
        }

        for (int at = item; at < ROWS * DEPTH; at += ITEMS)
        {
            const int weight = terms[tile * DEPTH + at % DEPTH].w, row = firstRow + at / DEPTH;
            a[at % DEPTH][at / DEPTH] = weight < 0 ? NEUTRAL : row < c.rows ? weights[row * c.weightRow + weight] : 0;
        }

        barrier(CLK_LOCAL_MEM_FENCE);
        multiply(a, b, chain);
        if (ends[tile])
        {
            end_block(chain, total, started);
            started = 1;
        }
    }

    for (int j = 0; j < EACH; j++)
    {
        const int column = firstColumn + get_local_id(0) + ITEM_COLUMNS * j;
        if (column >= c.samples * c.pixels) continue;
        const int p = column % c.pixels;
        global real *to = result + column / c.pixels * c.resultSample + group * c.resultGroup
            + (p / c.columns * c.resultStep + c.top) * c.resultWidth + p % c.columns * c.resultStep + c.left;
        for (int i = 0; i < EACH; i++)
        {
            const int row = firstRow + get_local_id(1) + ITEM_ROWS * i;
            if (row >= c.rows) continue;
            to[row * c.resultRow] = c.hasBias ? total[i][j] + bias[group * c.rows + row] : total[i][j];
        }
    }
}

// sums[slice, channel, weight] = sum over samples and pixels of the slice of dy·x; dimension 2 is slices times groups of
// channels. A slice without samples is left as it is: nobody reads it. A term is that of correlate, of one weight.
kernel __attribute__((reqd_work_group_size(ITEM_COLUMNS, ITEM_ROWS, 1)))
void weigh(global const real *image, global const real *gradient, global real *sums, global const int4 *terms,
    global const int *starts, Weighing c)
{
    local real a[DEPTH][ROWS + 1];
    local real b[DEPTH][COLUMNS + 1];
    const int item = get_local_id(1) * ITEM_COLUMNS + get_local_id(0);
    const int group = get_group_id(2) % c.groups, slice = get_group_id(2) / c.groups;
    const int firstRow = get_group_id(1) * ROWS, firstColumn = get_group_id(0) * COLUMNS;
    const int count = (starts[slice + 1] - starts[slice]) * c.plane;
    if (count == 0) return;
    real chain[EACH][EACH], total[EACH][EACH];
    for (int i = 0; i < EACH; i++)
        for (int j = 0; j < EACH; j++) chain[i][j] = total[i][j] = 0;
    for (int from = 0; from < count; from += DEPTH)
    {
        barrier(CLK_LOCAL_MEM_FENCE);
        const int k = item % DEPTH, inside = from + k < count;
        const int sample = inside ? starts[slice] + (from + k) / c.plane : 0, pixel = (from + k) % c.plane;
        const int top = pixel / c.columns * c.step - c.padding, left = pixel % c.columns * c.step - c.padding;
        global const real *source = image + sample * c.imageSample + group * c.imageGroup;
        global const real *slopes = gradient + sample * c.gradientSample + group * c.gradientGroup + pixel;
        for (int m = item / DEPTH; m < ROWS; m += ITEMS / DEPTH)
            a[k][m] = !inside ? NEUTRAL : firstRow + m < c.rows ? slopes[(firstRow + m) * c.plane] : 0;
        for (int n = item / DEPTH; n < COLUMNS; n += ITEMS / DEPTH)
        {
            real value = 0;
            if (inside && firstColumn + n < c.terms)
            {
                const int4 term = terms[firstColumn + n];
                const int h = top + term.y, l = left + term.z;
                if (h >= 0 && h < c.height && l >= 0 && l < c.width) value = source[term.x + h * c.width + l];
            }

            b[k][n] = value;
        }

        barrier(CLK_LOCAL_MEM_FENCE);
        multiply(a, b, chain);
        if ((from + DEPTH) % BLOCK == 0 || from + DEPTH >= count) end_block(chain, total, from >= BLOCK);
    }

    for (int i = 0; i < EACH; i++)
        for (int j = 0; j < EACH; j++)
        {
            const int row = firstRow + get_local_id(1) + ITEM_ROWS * i;
            const int column = firstColumn + get_local_id(0) + ITEM_COLUMNS * j;
            if (row < c.rows && column < c.terms)
                sums[c.firstSum + ((slice * c.groups + group) * c.rows + row) * c.terms + column] = total[i][j];
        }
}

// A level of the tree over slices (K-3): for each pair, sums[pair.x] += sums[pair.y].
kernel void add(global real *sums, global const int2 *pairs, int length)
{
    const int2 pair = pairs[get_global_id(1)];
    const int at = get_global_id(0);
    sums[pair.x * length + at] += sums[pair.y * length + at];
}
