"""How a part of a kernel is compiled: as far as LLVM's IR, and no further.

Numba optimises every function that it compiles together with all that it calls, and makes machine code of it
for calls from Python, which never come for a part. What stands three calls deep in a kernel went through LLVM
four times that way: half of the time that a kernel took. Here it goes through once, in the kernel that it is
linked into.
"""

from __future__ import annotations

from typing import Any, Literal


def part_options(apart: bool = False) -> dict[str, Any]:
    """Return the option of numba that compiles a part so; with `apart`, LLVM leaves it a function of its own.

    All of this is numba's inside: where a release has it otherwise, there is no option, and parts are
    compiled as numba compiles anything.
    """
    try:
        return {"pipeline_class": _part_compiler(apart)}
    except (ImportError, AttributeError):
        return {}


def _part_compiler(apart: bool) -> Any:
    import numba._dynfunc as dynfunc
    from numba.core.codegen import JITCodeLibrary
    from numba.core.compiler import CompilerBase, DefaultPassBuilder, _LowerResult
    from numba.core.compiler_machinery import register_pass
    from numba.core.typed_passes import NativeLowering

    make_function: Any = dynfunc.make_function

    class PartLibrary(JITCodeLibrary):
        """The IR of a part; that of what it calls comes when it is linked, as one module."""

        def finalize(self) -> None:
            self._raise_if_finalized()
            for library in self._linking_libraries:
                # What a kernel from the cache does first; older releases have nothing of the kind.
                getattr(self, "_reload_init", set()).update(getattr(library, "_reload_init", ()))
            self._finalized = True

        def _get_module_for_linking(self) -> Any:
            if self._shared_module is None:
                for library in dict.fromkeys(self._linking_libraries):
                    self._final_module.link_in(library._get_module_for_linking(), preserve=True)
            return super()._get_module_for_linking()

    @register_pass(mutates_CFG=True, analysis_only=False)
    class PartLowering(NativeLowering):
        """Numba's step to LLVM's IR, without the one to machine code behind it."""

        _name = "part_lowering"

        def run_pass(self, state: Any) -> Literal[True]:
            try:
                self._lower_part(state)
            except (AttributeError, TypeError):
                # Numba's inside is another: as it lowers anything. An error of the part itself comes again.
                state.library, state.flags.no_compile = None, False
                super().run_pass(state)
            return True

        def _lower_part(self, state: Any) -> None:
            state.library = PartLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
            state.flags.no_compile = True
            super().run_pass(state)
            state.library.finalize()
            lowered, libraries = state["cr"], [state.library]
            description, environment = lowered.fndesc, lowered.env
            if apart:
                function = state.library._final_module.get_function(description.llvm_func_name)
                function.add_function_attribute("noinline")
            # Numba knows compiled functions by an object that Python could call: this one has no code.
            name = description.qualname.split(".")[-1]
            key = make_function(description.lookup_module(), name, "", 0, environment, tuple(libraries))
            state.targetctx.insert_user_function(key, description, libraries)
            state["cr"] = _LowerResult(description, lowered.call_helper, cfunc=key, env=environment)

    class PartCompiler(CompilerBase):
        """Numba's compiler with that step in the place of its own."""

        def define_pipelines(self) -> list[Any]:
            manager = DefaultPassBuilder.define_nopython_pipeline(self.state)
            steps = [(PartLowering if step is NativeLowering else step, why) for step, why in manager.passes]
            manager.passes = steps
            manager._finalized = False
            manager.finalize()
            return [manager]

    return PartCompiler
