using System.Runtime.InteropServices;
using Convoy.Kernels.Cpu.Native;
using Convoy.Shared;
using Convoy.Shared.Jobs;

namespace Convoy.Kernels;

/// <summary>
/// A BLAS library of the machine, for single-precision products (DEV-13). It adds up in an order of its own, so K-2
/// does not hold for it; what a job needs does: each call is one slice, whole and alone, on one thread, so that its
/// result depends on nothing but the slice, and slices add by the tree (K-3). Two machines give the same bits when
/// <see cref="Identity"/> is the same.
/// </summary>
public sealed unsafe class BlasProvider
{
    private const int RowMajor = 101;
    private const int NoTrans = 111;
    private const int Trans = 112;

    [ThreadStatic]
    private static BlasProvider? _current;

    private readonly delegate* unmanaged<int, int, int, int, int, int, float, float*, int, float*, int, float, float*,
        int, void> _sgemm;

    private BlasProvider(BlasLibrary library, string name, nint handle, nint sgemm, int threads)
    {
        (Library, FileName) = (library, name);
        _sgemm = (delegate* unmanaged<int, int, int, int, int, int, float, float*, int, float*, int, float, float*, int,
            void>)sgemm;
        BlasSetup.SetThreads(handle, threads);
        Version = BlasSetup.VersionOf(library, handle);
    }

    public BlasLibrary Library { get; }

    /// <summary>The name under which it was found.</summary>
    public string FileName { get; }

    /// <summary>What the library says of itself: version, build, processor.</summary>
    public string Version { get; }

    /// <summary>
    /// Library, version, processor and a checksum of products that were computed for the purpose: part of H_0.
    /// </summary>
    public string Identity { get; private set; } = "";

    /// <summary>Which products it computes.</summary>
    public BlasSpec Sizes { get; private init; } = BlasSpec.Managed;

    /// <summary>The provider that this thread entered, or null: managed kernels.</summary>
    internal static BlasProvider? Current => _current;

    /// <summary>Null: the library is not on this machine.</summary>
    /// <param name="library">Any but managed.</param>
    /// <param name="threads">Threads of one product of <see cref="Multiply"/>; 1 for training.</param>
    public static BlasProvider? Find(BlasLibrary library, int threads = 1) => Find(new BlasSpec(library), threads);

    /// <summary>A provider for a job, checked; null: the job uses the managed kernels.</summary>
    /// <exception cref="UserException">The library is not here, is not usable, or is still to be chosen.</exception>
    public static BlasProvider? ForJob(JobSpec job)
    {
        var spec = BlasSpec.Of(job);
        if (spec.Library is not { } library)
            throw new UserException(ExitCode.BadJob,
                "blas: auto is decided where a job is submitted (convoy train, convoy submit); name the library, or "
                + "managed");
        if (library == BlasLibrary.Managed) return null;
        var found = Find(spec, threads: 1) ?? throw new UserException(ExitCode.BadJob,
            $"blas: {BlasSpec.NameOf(library)} is not on this machine ({Environment.MachineName}: none of "
            + $"{string.Join(", ", BlasNames.Of(library))} can be loaded); install it here, or use blas: managed");
        if (BlasProbe.Fault(found) is { } fault)
            throw new UserException(ExitCode.BadJob,
                $"blas: {found.FileName} ({found.Version}) {fault}; use another library, or blas: managed");
        found.Identity = $"{BlasSpec.NameOf(library)} {found.Version} {BlasProbe.Digest(found)}";
        return found;
    }

    /// <summary>Products that this thread starts are its own, until the scope ends.</summary>
    public Scope Enter()
    {
        var outer = _current;
        _current = this;
        return new Scope(outer);
    }

    /// <summary>c[m, n] = op(a)·op(b), row-major; c is only written.</summary>
    public void Multiply(
        bool transA, bool transB, int m, int n, int k, ReadOnlySpan<float> a, int lda, ReadOnlySpan<float> b, int ldb,
        Span<float> c, int ldc)
    {
        Kernels.Sizes.AtLeast(a.Length, transA ? Kernels.Sizes.Matrix(k, m, lda) : Kernels.Sizes.Matrix(m, k, lda));
        Kernels.Sizes.AtLeast(b.Length, transB ? Kernels.Sizes.Matrix(n, k, ldb) : Kernels.Sizes.Matrix(k, n, ldb));
        Kernels.Sizes.AtLeast(c.Length, Kernels.Sizes.Matrix(m, n, ldc));
        fixed (float* pa = a, pb = b, pc = c) Multiply(transA, transB, m, n, k, pa, lda, pb, ldb, pc, ldc);
    }

    internal void Multiply(
        bool transA, bool transB, int m, int n, int k, float* a, int lda, float* b, int ldb, float* c, int ldc)
    {
        if (m == 0 || n == 0) return;
        if (k == 0)
        {
            for (var row = 0; row < m; row++) new Span<float>(c + ((nint)row * ldc), n).Clear();
            return;
        }

        _sgemm(RowMajor, transA ? Trans : NoTrans, transB ? Trans : NoTrans, m, n, k, 1, a, lda, b, ldb, 0, c, ldc);
    }

    private static BlasProvider? Find(BlasSpec spec, int threads)
    {
        foreach (var name in BlasNames.Of(spec.Library!.Value))
        {
            if (!NativeLibrary.TryLoad(name, out var handle)) continue;
            if (!NativeLibrary.TryGetExport(handle, "cblas_sgemm", out var sgemm)) continue;
            if (BlasSetup.TakesLongIntegers(handle)) continue;
            return new BlasProvider(spec.Library.Value, name, handle, sgemm, threads) { Sizes = spec };
        }

        return null;
    }

    /// <summary>Ends what <see cref="BlasProvider.Enter"/> began.</summary>
    public readonly ref struct Scope
    {
        private readonly BlasProvider? _outer;

        internal Scope(BlasProvider? outer) => _outer = outer;

        public void Dispose() => _current = _outer;
    }
}
