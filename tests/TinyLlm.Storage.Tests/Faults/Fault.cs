namespace TinyLlm.Storage.Tests.Faults;

/// <summary>What happens to one access to a store.</summary>
internal enum Fault
{
    /// <summary>Nothing: it goes through.</summary>
    None,

    /// <summary>It fails, and has done nothing.</summary>
    Before,

    /// <summary>It has done its work, and the answer is lost.</summary>
    After,

    /// <summary>It goes through, when others have had their turn.</summary>
    Slow,
}
