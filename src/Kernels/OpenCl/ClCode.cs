using Convoy.Shared;

namespace Convoy.Kernels.OpenCl;

/// <summary>What the library answers: 0, or the number of an error.</summary>
internal static class ClCode
{
    public const int DeviceNotFound = -1;
    public const int BuildFailed = -11;

    // What the loader answers where no driver is installed.
    public const int PlatformNotFound = -1001;

    /// <exception cref="UserException">The call failed: which one, on what, why.</exception>
    public static void Check(int code, string call, string device)
    {
        if (code == 0) return;
        throw new UserException(ExitCode.Accelerator, $"accelerator {device}: {call} failed with {NameOf(code)}{Advice(code)}");
    }

    /// <summary>The name that manuals have for it.</summary>
    public static string NameOf(int code) => code switch
    {
        DeviceNotFound => "CL_DEVICE_NOT_FOUND",
        -2 => "CL_DEVICE_NOT_AVAILABLE",
        -3 => "CL_COMPILER_NOT_AVAILABLE",
        -4 => "CL_MEM_OBJECT_ALLOCATION_FAILURE",
        -5 => "CL_OUT_OF_RESOURCES",
        -6 => "CL_OUT_OF_HOST_MEMORY",
        BuildFailed => "CL_BUILD_PROGRAM_FAILURE",
        -14 => "CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST",
        -30 => "CL_INVALID_VALUE",
        -33 => "CL_INVALID_DEVICE",
        -34 => "CL_INVALID_CONTEXT",
        -36 => "CL_INVALID_COMMAND_QUEUE",
        -38 => "CL_INVALID_MEM_OBJECT",
        -43 => "CL_INVALID_BUILD_OPTIONS",
        -44 => "CL_INVALID_PROGRAM",
        -45 => "CL_INVALID_PROGRAM_EXECUTABLE",
        -46 => "CL_INVALID_KERNEL_NAME",
        -48 => "CL_INVALID_KERNEL",
        -49 => "CL_INVALID_ARG_INDEX",
        -50 => "CL_INVALID_ARG_VALUE",
        -51 => "CL_INVALID_ARG_SIZE",
        -52 => "CL_INVALID_KERNEL_ARGS",
        -54 => "CL_INVALID_WORK_GROUP_SIZE",
        -55 => "CL_INVALID_WORK_ITEM_SIZE",
        -58 => "CL_INVALID_EVENT",
        -59 => "CL_INVALID_OPERATION",
        -61 => "CL_INVALID_BUFFER_SIZE",
        -63 => "CL_INVALID_GLOBAL_WORK_SIZE",
        PlatformNotFound => "CL_PLATFORM_NOT_FOUND_KHR",
        _ => $"error {code}",
    };

    private static string Advice(int code) => code is -4 or -5 or -6 or -61
        ? "; its memory is used up: give it a smaller batch, more micro_batches, or a device of its own"
        : "; convoy devices lists what can be used, accelerator: none computes on the processor";
}
