using System.Collections.Frozen;

namespace TinyLlm.Storage;

/// <summary>Tells apart the input/output errors that have a meaning of their own, by the system's number, which .NET keeps in HResult.</summary>
internal static class DiskErrors
{
    private const int NoSpace = 28;
    private const int LinuxQuota = 122;
    private const int MacQuota = 69;
    private const int LinuxWouldBlock = 11;
    private const int MacWouldBlock = 35;
    private const int WindowsDiskFull = unchecked((int)0x80070070);
    private const int WindowsHandleDiskFull = unchecked((int)0x80070027);
    private const int WindowsQuota = unchecked((int)0x8007050F);
    private const int WindowsSharingViolation = unchecked((int)0x80070020);

    // EIO, EAGAIN, EBUSY, ENFILE, EMFILE, EROFS, ENOLCK, ETIMEDOUT, ESTALE.
    private static readonly FrozenSet<int> LinuxTransient = FrozenSet.Create(5, 11, 16, 23, 24, 30, 37, 110, 116);
    private static readonly FrozenSet<int> MacTransient = FrozenSet.Create(5, 16, 23, 24, 30, 35, 60, 70, 77);

    // ERROR_NOT_READY, ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION, ERROR_IO_DEVICE.
    private static readonly FrozenSet<int> WindowsTransient =
        FrozenSet.Create(unchecked((int)0x80070015), WindowsSharingViolation, unchecked((int)0x80070021), unchecked((int)0x8007045D));

    public static bool IsFull(IOException error) => OperatingSystem.IsWindows()
        ? error.HResult is WindowsDiskFull or WindowsHandleDiskFull or WindowsQuota
        : error.HResult is NoSpace or WindowsDiskFull || error.HResult == (OperatingSystem.IsMacOS() ? MacQuota : LinuxQuota);

    /// <summary>Whether another handle holds the file exclusively.</summary>
    public static bool IsLocked(IOException error) => OperatingSystem.IsWindows()
        ? error.HResult == WindowsSharingViolation
        : error.HResult == (OperatingSystem.IsMacOS() ? MacWouldBlock : LinuxWouldBlock) || error.HResult == WindowsSharingViolation;

    /// <summary>Whether the disk may work again in a moment: a failed transfer, a network file system away, a file in use, too many files open.</summary>
    public static bool IsTransient(IOException error) => OperatingSystem.IsWindows()
        ? WindowsTransient.Contains(error.HResult)
        : (OperatingSystem.IsMacOS() ? MacTransient : LinuxTransient).Contains(error.HResult);

    public static StoreException StorageFull(IOException cause) =>
        new(StoreError.StorageFull, "the disk of the store, or the quota on it, is full: nothing was stored; free space and send again", cause);
}
