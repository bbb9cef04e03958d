// While a run is under way the page is loaded again, so that its progress is seen.
if (document.querySelector("[data-running]")) setTimeout(() => location.reload(), 2000);
